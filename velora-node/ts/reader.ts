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

/** What of a copy is read; of its envelope and its key the other one comes along, if it can be read. */
type How = 0 | 1 | 2;
export const ENVELOPE = 0;
const MEMBERS = 1;
export const KEY = 2;

/** See `lines` in `fast/verdict.rs`. */
type Parts = [mark: string, eventType: string, id: string, key: string];

/** What a verdict says of the signature: its timestamp, if it is signed, and its secret. */
export function signed(verdict: string): string[] {
  return verdict.slice(HEAD, HEAD + verdict.charCodeAt(0)).split(',');
}

/** The envelope and the key of a verified body, and that body, which nobody can write to any more. */
export class Reading implements Envelope, Source {
  eventType: string | null = null;
  typeIsSigned = false;
  id = '';
  key = '';
  /** Empty where there is no envelope. */
  #mark = '';
  readonly #reader: Reader;
  readonly #values: readonly Values[];
  readonly #text: string;
  readonly #start: number;

  /** The body is what the text has from `start` on, a byte in each character. */
  private constructor(reader: Reader, values: readonly Values[], text: string, start: number) {
    this.#reader = reader;
    this.#values = values;
    this.#text = text;
    this.#start = start;
  }

  /** Of what the addon said of the body, if it did: see `fast/verdict.rs`. */
  static of(reader: Reader, body: string | Uint8Array, values: readonly Values[], verdict: string): Reading {
    reader.readAhead = READ_AHEAD;
    const type = HEAD + verdict.charCodeAt(0);
    const id = type + verdict.charCodeAt(1);
    const key = id + verdict.charCodeAt(2);
    const end = key + verdict.charCodeAt(3);
    if (type !== id) {
      const reading = new Reading(reader, values, verdict, end);
      reading.#learn(verdict[type]!, verdict.slice(type + 1, id), verdict.slice(id, key), verdict.slice(key, end));
      return reading;
    }
    const copy = verdict.charCodeAt(4) === COPIED ? verdict.slice(end) : copied(body);
    return new Reading(reader, values, copy, 0);
  }

  /** The same, once it has what is wanted. Throws what the core says where that cannot be read. */
  with(wanted: typeof ENVELOPE | typeof KEY): this {
    if ((wanted === KEY ? this.key : this.#mark) === '') {
      this.#learn(...(read(this.#reader, this.#copy(), wanted, this.#values) as Parts));
    }
    return this;
  }

  /** What cannot be read is empty. */
  #learn(mark: string, eventType: string, id: string, key: string): void {
    this.#mark = mark;
    this.eventType = mark === '0' ? null : eventType;
    this.typeIsSigned = mark === '1';
    this.id = id;
    this.key = key;
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
