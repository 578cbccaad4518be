/** Velora TV's channel events, in their two forms. */

import type { Extra, UnknownName } from '../open.js';

/**
 * The types that have a name here. The set is open.
 *
 * Source: Velora TV, *Webhooks: Available Events* and *Webhook events*.
 */
export type KnownEventType =
  | 'stream.online'
  | 'stream.offline'
  | 'stream.update'
  | 'channel.follow'
  | 'channel.subscribe'
  | 'channel.update'
  | 'channel.subscription.gift'
  | 'channel.subscription.end'
  | 'user.authorization.grant'
  | 'user.authorization.revoke';

/** A stream went live, as the vendor shows it. */
export interface StreamOnline {
  /** The stream. */
  readonly streamId: string;
  /** Its streamer. */
  readonly userId: string;
  /** The streamer's name. */
  readonly username?: string | null;
  /** The stream's title. */
  readonly title?: string | null;
  /** When it started: RFC 3339. */
  readonly startedAt?: string | null;
  /** Every other member. */
  readonly extra: Extra;
}

/** A payload that is not as the vendor shows it. */
export interface OtherData {
  readonly streamId?: undefined;
}

/** The payload of an event: typed where the vendor shows it. */
export type DataOf<T extends string> = T extends 'stream.online' ? StreamOnline | OtherData | null : unknown;

/** What an event of either form has. */
interface EventMembers<T extends string> {
  /** When it happened: RFC 3339. */
  readonly timestamp?: string | null;
  /** The payload: typed where the vendor shows it, else JSON as it came. */
  readonly data?: DataOf<T>;
  /** Every other member; those above that are repeated, or not of their type, too. */
  readonly extra: Extra;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers<T> {
  /** The same in every retry of the event. */
  readonly id: string;
  /** What happened, such as `stream.online`. */
  readonly type: T;
}

/** An event whose type is newer than this version; an event like any other. */
export interface UnknownEvent extends EventMembers<string> {
  /** The same in every retry of the event. */
  readonly id: string;
  /** What happened: some text. */
  readonly type: UnknownName;
}

/**
 * An event of the default form, narrowed by `switch (event.type)`.
 *
 * Source: Velora TV, *Webhooks: Webhook Payload*.
 */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;

/** An event of the body-only form and of one type. */
export interface BodyOnlyEventOfType<T extends string> extends EventMembers<T> {
  /** What happened, such as `stream.online`. */
  readonly event: T;
}

/** An event of the body-only form whose type is newer than this version. */
export interface UnknownBodyOnlyEvent extends EventMembers<string> {
  /** What happened: some text. */
  readonly event: UnknownName;
}

/**
 * An event of the body-only form, which has no id, narrowed by `switch (event.event)`.
 *
 * Source: Velora TV, *Webhook events*.
 */
export type BodyOnlyEvent =
  | { [T in KnownEventType]: BodyOnlyEventOfType<T> }[KnownEventType]
  | UnknownBodyOnlyEvent;
