/** Velora TV's channel events, in their two forms. */

import type { Extra, UnknownName } from '../open.js';

/**
 * The types that this version knows. The set is open.
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

/** The payload of `stream.online`, as the vendor documents it. */
export interface StreamOnline {
  /** The id of the stream. */
  readonly streamId: string;
  /** The id of the streamer. */
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

/**
 * The payload of an event: typed if the vendor documents it. A payload of that type that is not
 * as documented is in the event's `extra`.
 */
export type DataOf<T extends string> = T extends 'stream.online' ? StreamOnline | null : unknown;

/** The members that events of both forms have. */
interface EventMembers<T extends string> {
  /** When it happened: RFC 3339. */
  readonly timestamp?: string | null;
  /** The payload: typed if the vendor documents it, else JSON as received. */
  readonly data?: DataOf<T>;
  /** Every other member, and those above that are repeated or have another type. */
  readonly extra: Extra;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers<T> {
  /** The same in every retry of the event. */
  readonly id: string;
  /** What happened, such as `stream.online`. */
  readonly type: T;
}

/** An event whose type is newer than this version. */
export interface UnknownEvent extends EventMembers<string> {
  /** The same in every retry of the event. */
  readonly id: string;
  /** What happened: any other string. */
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
  /** What happened: any other string. */
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
