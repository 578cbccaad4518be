/** Reading what was verified. */

import type * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { bodyBytes, rawMemory } from './body.js';
import { toError } from './errors.js';
import type { Envelope, Names, Source } from './events.js';
import type { Values } from './headers.js';

/** What a delivery is read with. */
export interface Reader extends Names {
  readonly native: native.NativeVerifier;
  readonly read: (copy: string, how: How, ...values: Values[]) => string[] | string | Failure;
  /** Of so many deliveries to come the envelope is read when they are verified. */
  readAhead: number;
}

/** Whoever reads one delivery reads the next ones: one call is then quicker than two. */
const READ_AHEAD = 8;

/** In the addon's verdict: what comes before its parts, and what says that it has a copy. */
const HEAD = 5;
const COPIED = 1;

/** How a copy is read: its envelope, or its members. */
type How = 0 | 1;
const ENVELOPE = 0;
const MEMBERS = 1;

/** What a verdict says of the signature: its timestamp, if it is signed, and its secret. */
export function signed(verdict: string): string[] {
  return verdict.slice(HEAD, HEAD + verdict.charCodeAt(0)).split(',');
}

/** The envelope of a verified body, and that body, which nobody can write to any more. */
export class Reading implements Envelope, Source {
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
  readonly key: string;
  readonly #reader: Reader;
  readonly #values: readonly Values[];
  readonly #text: string;
  readonly #start: number;

  /** The body is what the text has from `start` on, a byte in each character. */
  private constructor(reader: Reader, values: readonly Values[], text: string, start: number, mark: string | undefined, eventType: string, id: string, key: string) {
    this.eventType = mark === '0' ? null : eventType;
    this.typeIsSigned = mark !== '2';
    this.id = id;
    this.key = key;
    this.#reader = reader;
    this.#values = values;
    this.#text = text;
    this.#start = start;
  }

  /** Of what the addon said of the body: see `fast/verdict.rs`. */
  static of(reader: Reader, body: string | Uint8Array, values: readonly Values[], verdict: string): Reading {
    reader.readAhead = READ_AHEAD;
    const type = HEAD + verdict.charCodeAt(0);
    const id = type + verdict.charCodeAt(1);
    const key = id + verdict.charCodeAt(2);
    const end = key + verdict.charCodeAt(3);
    if (type !== id) {
      return new Reading(reader, values, verdict, end, verdict[type], verdict.slice(type + 1, id), verdict.slice(id, key), verdict.slice(key, end));
    }
    const copy = verdict.charCodeAt(4) === COPIED ? verdict.slice(end) : copied(body);
    const [mark, ...parts] = read(reader, copy, ENVELOPE, values) as [string, string, string, string];
    return new Reading(reader, values, copy, 0, mark, ...parts);
  }

  json(): string {
    return read(this.#reader, this.#copy(), MEMBERS, this.#values) as string;
  }

  text(): string {
    return Buffer.from(this.#copy(), 'latin1').toString();
  }

  #copy(): string {
    return this.#text.slice(this.#start);
  }
}

/** Reads a copy of a body, a byte of it in each character, once it is verified. */
function read(reader: Reader, copy: string, how: How, values: readonly Values[]): string[] | string {
  const answer = reader.read(copy, how, ...values);
  if (typeof answer === 'string' || Array.isArray(answer)) {
    return answer;
  }
  throw toError(answer);
}

/** A byte in each character. */
function copied(body: string | Uint8Array): string {
  const bytes = bodyBytes(rawMemory(body));
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}
