/** Reading what was verified. */

import type * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { toError } from './errors.js';
import type { Names, Source } from './events.js';
import type { Values } from './headers.js';

/** What a delivery is read with. */
export interface Reader extends Names {
  readonly native: native.NativeVerifier;
  readonly read: (copy: string, how: How, ...values: Values[]) => string[] | string | Failure;
  /** Of so many deliveries to come the envelope is read when they are verified. */
  readAhead: number;
}

/** How a copy is read: its envelope, or its members. */
export type How = 0 | 1;
export const ENVELOPE = 0;
export const MEMBERS = 1;

/** Reads a copy of a body, a byte of it in each character, once it is verified. */
export function read(reader: Reader, copy: string, how: How, values: readonly Values[]): string[] | string {
  const answer = reader.read(copy, how, ...values);
  if (typeof answer === 'string' || Array.isArray(answer)) {
    return answer;
  }
  throw toError(answer);
}

/** A body that was verified, and that nobody can write to. */
export class Copy implements Source {
  readonly #reader: Reader;
  readonly #text: string;
  readonly #start: number;
  readonly #values: readonly Values[];

  /** It is what the text has from there on. */
  constructor(reader: Reader, text: string, start: number, values: readonly Values[]) {
    this.#reader = reader;
    this.#text = text;
    this.#start = start;
    this.#values = values;
  }

  json(): string {
    return read(this.#reader, this.#text.slice(this.#start), MEMBERS, this.#values) as string;
  }

  text(): string {
    return Buffer.from(this.#text.slice(this.#start), 'latin1').toString();
  }
}
