/** Reading what was verified. */

import type * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { toError } from './errors.js';
import type { Values } from './headers.js';

/** What a delivery is read with. */
export interface Reader {
  readonly scheme: string;
  readonly native: native.NativeVerifier;
  /** The members that hold an event's type and its id, where it always has them. */
  readonly typeName: string | undefined;
  readonly idName: string | undefined;
  readonly read: (copy: string, how: How, ...values: Values[]) => string[] | string | Failure;
  /** Of so many deliveries to come the envelope is read when they are verified. */
  readAhead: number;
}

/** How a copy is read: its envelope; that, after it was verified; its members. */
export type How = 0 | 1 | 2;
export const ENVELOPE = 0;
export const ENVELOPE_AGAIN = 1;
export const MEMBERS = 2;

/** What the core says of an event without reading all of it. */
export interface Envelope {
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
  readonly key: string;
}

/** Reads a copy of a body, a byte of it in each character. */
export function read(reader: Reader, copy: string, how: How, values: readonly Values[]): string[] | string {
  const answer = reader.read(copy, how, ...values);
  if (typeof answer === 'string' || Array.isArray(answer)) {
    return answer;
  }
  throw toError(answer);
}
