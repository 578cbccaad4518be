/** Verifiers, and the host's own hash. */

import type { Failure, SchemeParts, ToleranceParts } from './types.js';
import { itemsOf, mostOf, put, putItems, putValues, room, said, saidText, sizeOf, type Item, type Values } from './frame.js';
import { enter, FAILED, lastFailure, Made } from './calls.js';
import { utf8Bytes, utf8Text } from '../host.js';
import { broken, instance, type Instance } from './instance.js';

type Secret = string | Uint8Array;
/** The signed timestamp in milliseconds, or NaN; with the secret's index, unless it is the first. */
export type Verdict = number | [stamp: number, index: number];

/** What the core says of an event; its members in JSON, where they were asked for. */
export interface Envelope {
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
  readonly key: string;
  readonly members: string;
}

const MAC = 32;

/** The items of a scheme and secrets. */
export function schemeItems(scheme: string | SchemeParts, secrets: readonly Secret[]): Item[] {
  const items: Item[] = secrets.map((secret) => [typeof secret === 'string' ? 1 : 2, secret]);
  if (typeof scheme === 'string') {
    return [[0, scheme], ...items];
  }
  const status = scheme.rejectStatus === undefined ? undefined : String(scheme.rejectStatus);
  const texts = [
    scheme.name, scheme.signatureHeader, scheme.prefix, scheme.timestampHeader,
    scheme.timestampInMilliseconds ? '' : undefined, scheme.signedBefore, scheme.signedAfter, status,
    scheme.clientErrorsAreFinal ? '' : undefined,
  ];
  texts.forEach((text, at) => {
    if (text !== undefined) {
      items.push([16 + at, text]);
    }
  });
  // An empty one says that there are some, or none.
  for (const member of scheme.identity ? ['', ...scheme.identity] : []) {
    items.push([32, member]);
  }
  return items;
}

/** A verifier of the core. */
export class NativeVerifier {
  readonly #made: Made;
  readonly #secrets: readonly Secret[];
  #keys: CryptoKey[] | undefined;

  private constructor(made: Made, secrets: readonly Secret[]) {
    this.#made = made;
    this.#secrets = secrets;
  }

  static create(scheme: string | SchemeParts, secrets: readonly Secret[], { seconds, dangerousNoLimit }: ToleranceParts): NativeVerifier | Failure {
    const items = schemeItems(scheme, secrets);
    const limit = dangerousNoLimit ? 2 : seconds === undefined ? 0 : 1;
    const make = (one: Instance) => one.exports['verifier']!(putItems(one, items), limit, seconds ?? 0);
    return Made.of(make, (made) => new NativeVerifier(made, secrets));
  }

  /** @internal */
  in(one: Instance): number {
    return this.#made.in(one);
  }

  get headerNames(): string[] {
    return this.#lines('header_names');
  }

  /** The members of an event that hold its type and its id, as far as it always has them. */
  get eventNames(): string[] {
    return this.#lines('event_names');
  }

  #lines(call: string): string[] {
    const lines = enter((one) => {
      // The verifier alone knows of no events.
      if (one.exports[call] === undefined) {
        return '';
      }
      one.exports[call](this.in(one));
      return saidText(one);
    });
    return lines.split('\n').slice(0, -1);
  }

  verify(body: string | Uint8Array, now: number | undefined, values: readonly Values[]): Verdict | Failure {
    return this.#asked('verify', body, values, now ?? Date.now(), this.#verdict);
  }

  /** Verifies once more, but for the age, and reads. */
  read(body: string | Uint8Array, values: readonly Values[], members: boolean): Envelope | Failure {
    return this.#asked('read_event', body, values, Number(members), (one) => envelopeOf(said(one)));
  }

  checkHeaders(body: Uint8Array, values: string[][]): boolean | Failure {
    return this.#asked('check_headers', body, values, 0, () => true);
  }

  /** Hashes with the host. */
  async hashed(body: string | Uint8Array, now: number | undefined, values: readonly Values[]): Promise<Verdict | Failure> {
    const present = now ?? Date.now();
    const keys = this.#keys ?? (await this.#imported());
    const message = this.#checked(values, [], present, (one) => behind(said(one), body));
    if (!(message instanceof Uint8Array)) {
      return message;
    }
    const { subtle } = crypto;
    const [only] = keys;
    const macs = keys.length === 1
      ? [await subtle.sign('HMAC', only!, message)]
      : await Promise.all(keys.map((key) => subtle.sign('HMAC', key, message)));
    return this.#checked(values, macs, present, this.#verdict);
  }

  async #imported(): Promise<CryptoKey[]> {
    this.#keys = await Promise.all(this.#secrets.map((secret) => keyOf(crypto.subtle, secret)));
    return this.#keys;
  }

  #checked<T>(values: readonly Values[], macs: ArrayBuffer[], now: number, read: (one: Instance, number: number) => T): T | Failure {
    return enter((one) => {
      const at = this.in(one);
      const bytes = room(one, sizeOf(values) + macs.length * MAC);
      const headers = putValues(bytes, values);
      macs.forEach((mac, place) => bytes.set(new Uint8Array(mac), headers + place * MAC));
      const number = one.exports['precheck']!(at, headers, macs.length * MAC, now);
      return number === FAILED ? lastFailure(one) : read(one, number);
    });
  }

  #asked<T>(call: string, body: string | Uint8Array, values: readonly Values[], last: number, read: (one: Instance, number: number) => T): T | Failure {
    const one = instance();
    try {
      const at = this.in(one);
      const bytes = room(one, sizeOf(values) + mostOf(body));
      const headers = putValues(bytes, values);
      const number = one.exports[call]!(at, headers, put(bytes, headers, body), last);
      return number === FAILED ? lastFailure(one) : read(one, number);
    } catch (error) {
      throw broken(one, error);
    }
  }

  readonly #verdict = (one: Instance, stamp: number): Verdict => {
    const index = this.#secrets.length > 1 ? one.exports['secret_index']!() : 0;
    return index === 0 ? stamp : [stamp, index];
  };
}

/** The items in the order of their tags: see `receiver.rs`. */
export function envelopeOf(bytes: Uint8Array): Envelope {
  const [mark, eventType = '', id = '', key = '', members = ''] = itemsOf(bytes).map(([, value]) => utf8Text(value));
  return { eventType: mark === '0' ? null : eventType, typeIsSigned: mark !== '2', id, key, members };
}

/** Up to so many bytes the room for what is hashed is kept: to make it anew costs as much as the hash. */
const KEPT = 2 << 20;
let joined = new Uint8Array(0);

/** The body behind what stands under the MAC before it: whoever hashes it copies it at once. */
function behind(prefix: Uint8Array, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const most = prefix.length + mostOf(body);
  const bytes = joined.length < most ? new Uint8Array(most) : joined;
  if (most <= KEPT) {
    joined = bytes;
  }
  bytes.set(prefix);
  return bytes.subarray(0, prefix.length + put(bytes, prefix.length, body));
}

function keyOf(subtle: SubtleCrypto, secret: Secret): Promise<CryptoKey> {
  const bytes = typeof secret === 'string' ? (utf8Bytes(secret) as Uint8Array<ArrayBuffer>) : Uint8Array.from(secret);
  return subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}
