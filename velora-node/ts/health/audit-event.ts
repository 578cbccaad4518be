/** Audit events as the API lists and exports them. */

import { inspect } from '../host.js';
import { detailsOfEvent, fieldsAccessedOfEvent, isInstant, keyOfEvent, lineOfEvent } from '../../native/index.js';
import { learnApiError } from '../api-error.js';
import { guard, unwrap } from '../errors.js';
import { text as required } from '../options.js';
import type { KnownEventType } from './event.js';

// Whoever reads an event can see that it is none.
learnApiError();

/** An event as the API wrote it. `AuditEvent` describes the members; any may be absent or null. */
export interface AuditEventMembers {
  event_id?: string | null;
  timestamp?: string | null;
  action?: string | null;
  user_id?: string | null;
  user_role?: string | null;
  resource_type?: string | null;
  resource_id?: string | null;
  fields_accessed?: unknown;
  phi_involved?: boolean | null;
  tenant_id?: string | null;
  source_ip?: string | null;
  user_agent?: string | null;
  justification?: string | null;
  success?: boolean | null;
  details?: unknown;
  [member: string]: unknown;
}

/** Several events, and the text they came in. */
export interface Source {
  /** The events' own texts, in order. */
  readonly texts: readonly string[];
}

/** The usual form of instants, tested here because a call of the core costs more. The core decides about any other. */
const USUAL = /^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|\+00:00)$/;

/**
 * An audit event that was listed or exported. A member that is absent, or not of its
 * documented type, is null here and still in `members`. Neither logging it nor
 * `JSON.stringify` shows PHI; `members` and `line` have it.
 *
 * Source: Velora Health, *Audit events*.
 */
export class AuditEvent {
  readonly #members: AuditEventMembers;
  readonly #source: Source;
  readonly #at: number;

  private constructor(members: AuditEventMembers, source: Source, at: number) {
    this.#members = members;
    this.#source = source;
    this.#at = at;
  }

  /** @internal */
  static made(members: AuditEventMembers, source: Source, at: number): AuditEvent {
    return new AuditEvent(members, source, at);
  }

  /**
   * Reads an event from its JSON text, such as a row of an exported file. Throws
   * `malformed_response` if it is not a JSON object.
   */
  static fromJson(json: string): AuditEvent {
    const row = required('json', json);
    const line = unwrap(guard(() => lineOfEvent(row)));
    return AuditEvent.made(JSON.parse(line) as AuditEventMembers, { texts: [line] }, 0);
  }

  /** The event's id; in a delivery it is called `id`. */
  get eventId(): string | null {
    return text(this.#members.event_id);
  }

  /** When it happened, as the system writes it: ISO 8601. It may have microseconds, as a `Date` has not. */
  get timestamp(): string | null {
    const written = text(this.#members.timestamp);
    return written !== null && (USUAL.test(written) || isInstant(written)) ? written : null;
  }

  /** What happened; in a delivery it is called `type`. */
  get action(): KnownEventType | (string & {}) | null {
    return text(this.#members.action);
  }

  /** The id of the user who did it. */
  get userId(): string | null {
    return text(this.#members.user_id);
  }

  /** The user's role, such as `data_analyst`. */
  get userRole(): string | null {
    return text(this.#members.user_role);
  }

  /** The kind of resource, such as `claim`. */
  get resourceType(): string | null {
    return text(this.#members.resource_type);
  }

  /** The resource's id. */
  get resourceId(): string | null {
    return text(this.#members.resource_id);
  }

  /** Which fields of the resource were read: parsed from the JSON that the system sends inside a string. */
  get fieldsAccessed(): unknown {
    return parsed(fieldsAccessedOfEvent(this.line));
  }

  /** Whether protected health information was involved. */
  get phiInvolved(): boolean | null {
    return flag(this.#members.phi_involved);
  }

  /** The tenant it belongs to. */
  get tenantId(): string | null {
    return text(this.#members.tenant_id);
  }

  /** The IP address that the request came from. */
  get sourceIp(): string | null {
    return text(this.#members.source_ip);
  }

  /** The user agent of the request. */
  get userAgent(): string | null {
    return text(this.#members.user_agent);
  }

  /** The stated reason. */
  get justification(): string | null {
    return text(this.#members.justification);
  }

  /** Whether the action succeeded. */
  get success(): boolean | null {
    return flag(this.#members.success);
  }

  /** Free-form details: parsed, whether sent as an object or as JSON inside a string. */
  get details(): unknown {
    return parsed(detailsOfEvent(this.line));
  }

  /**
   * The identity to deduplicate on: equal to the key of the event's delivery. Null if the event
   * lacks its id or its action.
   */
  get key(): string | null {
    return keyOfEvent(this.line) ?? null;
  }

  /** All members as the system sent them. */
  get members(): Readonly<AuditEventMembers> {
    return this.#members;
  }

  /** The event in the system's own text, on one line. */
  get line(): string {
    return this.#source.texts[this.#at] ?? '';
  }

  toJSON(): object {
    return { eventId: this.eventId, action: this.action, timestamp: this.timestamp };
  }

  [inspect.custom](): string {
    return `AuditEvent(${this.eventId}, ${this.action})`;
  }
}

/** A text with half a surrogate pair is none: no other language could have it. */
function text(value: unknown): string | null {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value) ? value : null;
}

function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

function parsed(json: string | null | undefined): unknown {
  return json === null || json === undefined ? null : (JSON.parse(json) as unknown);
}
