/** CuraeAI's platform events. */

import type { Extra, UnknownName } from '../open.js';

/**
 * The types that this version knows. The set is open.
 *
 * Source: CuraeAI, *Webhooks: Event catalog*.
 */
export type KnownEventType =
  | 'patient.created'
  | 'patient.updated'
  | 'observation.created'
  | 'observation.updated'
  | 'import.completed'
  | 'connection.authorized'
  | 'connection.reconnected'
  | 'connection.expired'
  | 'connection.action_required'
  | 'connection.revoked'
  | 'records.export_queued'
  | 'records.export_ready'
  | 'records.export_failed'
  | 'records.export_expired'
  | 'entry.initiated'
  | 'entry.completed'
  | 'entry.limited_provisioned'
  | 'entry.transferred'
  | 'entry.folded'
  | 'consolidation.completed'
  | 'consolidation.reversed'
  | 'user.graduated';

/** The members that every event has. */
export interface EventMembers {
  /** The same in every retry of the event. */
  readonly eventId: string;
  /** The payload, whose schemas are not documented. */
  readonly data?: unknown;
  /** Every other member, and `data` if it is repeated. */
  readonly extra: Extra;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers {
  /** What happened, such as `records.export_ready`. */
  readonly eventType: T;
}

/** An event whose type is newer than this version. */
export interface UnknownEvent extends EventMembers {
  /** What happened: any other string. */
  readonly eventType: UnknownName;
}

/** A platform event, narrowed by `switch (event.eventType)`. */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;
