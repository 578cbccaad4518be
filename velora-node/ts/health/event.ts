/** Audit events as a webhook delivers them. */

import type { Extra, UnknownName } from '../open.js';

/** The types that have a name here. The set is open. */
export type KnownEventType = 'phi.read' | 'phi.query' | 'phi.export' | 'phi.decrypt';

/** Who caused an event. */
export interface Actor {
  readonly user_id?: string | null;
  readonly user_role?: string | null;
  /** Every other member. */
  readonly extra: Extra;
}

/** What an event concerns. */
export interface Resource {
  readonly type?: string | null;
  readonly id?: string | null;
  /** Every other member. */
  readonly extra: Extra;
}

/** What every event has. All but `id` and `type` may be absent or null. */
export interface EventMembers {
  /** The same in every retry of the event. */
  readonly id: string;
  /** RFC 3339. */
  readonly timestamp?: string | null;
  readonly tenant_id?: string | null;
  readonly actor?: Actor | null;
  readonly resource?: Resource | null;
  readonly phi_involved?: boolean | null;
  readonly success?: boolean | null;
  /** Free-form details: an object in deliveries. */
  readonly details?: unknown;
  readonly schema_version?: string | null;
  /** Every other member; those above that are repeated, or not of their type, too. */
  readonly extra: Extra;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers {
  readonly type: T;
}

/** An event whose type is newer than this version; an event like any other. */
export interface UnknownEvent extends EventMembers {
  readonly type: UnknownName;
}

/**
 * An audit event, narrowed by `switch (event.type)`. A member that is there has its
 * documented type; whatever else the system sent is in `extra`.
 */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;
