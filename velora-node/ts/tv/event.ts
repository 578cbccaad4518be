/** Velora TV's channel events, in their two forms. */

import type { UnknownName } from '../open.js';

/** The types that have a name here. */
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
  streamId: string;
  userId: string;
  username?: string;
  title?: string;
  /** ISO 8601. */
  startedAt?: string;
  [member: string]: unknown;
}

/** The payload of an event: typed where the vendor shows it. */
export type DataOf<T extends string> = T extends 'stream.online' ? StreamOnline : unknown;

/** An event of one type. */
export interface EventOfType<T extends string> {
  /** The same in every retry of the event. */
  id: string;
  type: T;
  /** ISO 8601. */
  timestamp?: string | null;
  data?: DataOf<T>;
}

/** An event whose type is newer than this version; an event like any other. */
export interface UnknownEvent {
  id: string;
  type: UnknownName;
  timestamp?: string | null;
  data?: unknown;
  [member: string]: unknown;
}

/** An event of the default form, narrowed by `switch (event.type)`. */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;

/** An event of the body-only form and of one type. */
export interface BodyOnlyEventOfType<T extends string> {
  event: T;
  timestamp?: unknown;
  data?: DataOf<T>;
}

/** An event of the body-only form whose type is newer than this version. */
export interface UnknownBodyOnlyEvent {
  event: UnknownName;
  timestamp?: unknown;
  data?: unknown;
  [member: string]: unknown;
}

/** An event of the body-only form, which has no id, narrowed by `switch (event.event)`. */
export type BodyOnlyEvent =
  | { [T in KnownEventType]: BodyOnlyEventOfType<T> }[KnownEventType]
  | UnknownBodyOnlyEvent;
