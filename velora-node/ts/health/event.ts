/** Audit events as a webhook delivers them. */

import type { UnknownName } from '../open.js';

/** The types that have a name here. The set is open. */
export type KnownEventType = 'phi.read' | 'phi.query' | 'phi.export' | 'phi.decrypt';

/** Who caused an event. */
export interface Actor {
  user_id?: string | null;
  user_role?: string | null;
  [member: string]: unknown;
}

/** What an event concerns. */
export interface Resource {
  type?: string | null;
  id?: string | null;
  [member: string]: unknown;
}

/** What every event has. All but `id` and `type` may be absent or null. */
export interface EventMembers {
  /** The same in every retry of the event. */
  id: string;
  /** ISO 8601. */
  timestamp?: string | null;
  tenant_id?: string | null;
  actor?: Actor | null;
  resource?: Resource | null;
  phi_involved?: boolean | null;
  success?: boolean | null;
  details?: Record<string, unknown> | null;
  schema_version?: string | null;
}

/** An event of one type. */
export interface EventOfType<T extends string> extends EventMembers {
  type: T;
}

/** An event whose type is newer than this version; an event like any other. */
export interface UnknownEvent extends EventMembers {
  type: UnknownName;
  [member: string]: unknown;
}

/**
 * An audit event, narrowed by `switch (event.type)`. The members are those that the
 * system sent, unknown ones too; nothing checks that an optional one has its documented type.
 */
export type Event = { [T in KnownEventType]: EventOfType<T> }[KnownEventType] | UnknownEvent;
