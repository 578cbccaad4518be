/** Events: the body of a verified delivery, typed by its scheme. */

import { bodyBytes } from './body.js';
import { VerificationError } from './errors.js';
import { utf8Text } from './host.js';
import type { Event as BillingEvent } from './billing/event.js';
import type { Event as CuraeEvent } from './curae/event.js';
import type { Event as HealthEvent } from './health/event.js';
import type { Scheme, SchemeName } from './scheme.js';
import type { BodyOnlyEvent, Event as TvEvent } from './tv/event.js';

/** The event that each of the systems' schemes delivers. */
export interface Events {
  health: HealthEvent;
  billing: BillingEvent;
  curae: CuraeEvent;
  tv: TvEvent;
  'tv-body-only': BodyOnlyEvent;
}

/** The event that a scheme delivers; of a scheme of your own, the members of its body. */
export type EventOf<S extends SchemeName | Scheme> = S extends SchemeName ? Events[S] : Record<string, unknown>;

/** What the core has read of an event. */
export interface EventParts {
  readonly key: string;
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
}

/** Reads an event that the core has found to be of its documented form. */
export function readEvent(scheme: string, parts: EventParts, body: string | Uint8Array): unknown {
  const text = typeof body === 'string' && body.isWellFormed() ? body : utf8Text(bodyBytes(body));
  const members = parse(text);
  if (scheme === 'billing') {
    return { type: parts.eventType, typeIsSigned: parts.typeIsSigned, members };
  }
  return members;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new VerificationError('malformed_event', 'the body is not JSON', { cause });
  }
}
