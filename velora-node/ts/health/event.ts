/** Audit events as a webhook delivers them. */

import type { Extra, UnknownName } from '../open.js';

/** The types that have a name here. The set is open. */
export type KnownEventType = 'phi.read' | 'phi.query' | 'phi.export' | 'phi.decrypt';

/** Who caused an event. */
export interface Actor {
  /** The user's id. */
  readonly user_id?: string | null;
  /** The user's role, such as `data_analyst`. */
  readonly user_role?: string | null;
  /** Every other member. */
  readonly extra: Extra;
}

/** What an event concerns. */
export interface Resource {
  /** Its kind, such as `claim`. */
  readonly type?: string | null;
  /** Its id. */
  readonly id?: string | null;
  /** Every other member. */
  readonly extra: Extra;
}

/** What every event has. All but `id` and `type` may be absent or null. */
export interface EventMembers {
  /** The same in every retry of the event. */
  readonly id: string;
  /** When it happened: RFC 3339. */
  readonly timestamp?: string | null;
  /** The tenant it belongs to. */
  readonly tenant_id?: string | null;
  /** Who did it. */
  readonly actor?: Actor | null;
  /** To what it was done. */
  readonly resource?: Resource | null;
  /** Whether protected health information was involved. */
  readonly phi_involved?: boolean | null;
  /** Whether the action succeeded. */
  readonly success?: boolean | null;
  /** Free-form details: an object in deliveries. */
  readonly details?: unknown;
  /** The version of the envelope; a text, raised on removal or rename only. */
  readonly schema_version?: string | null;
  /** Every other member; those above that are repeated, or not of their type, too. */
  readonly extra: Extra;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers {
  /** What happened, such as `phi.read`. */
  readonly type: T;
}

/** An event whose type is newer than this version; an event like any other. */
export interface UnknownEvent extends EventMembers {
  /** What happened: any other string. */
  readonly type: UnknownName;
}

/**
 * An audit event, narrowed by `switch (event.type)`. A member that is present has its documented
 * type; anything else that the system sent is in `extra`.
 *
 * Source: Velora Health, *Webhooks: Delivery payload*.
 */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;
