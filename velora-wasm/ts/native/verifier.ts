/** Verifiers, which the host keeps, and the host's own hash. */

import type { SchemeParts } from './types.js';
import { itemsOf, left, mostOf, put, putAlone, putValues, room, sizeOf, type Values } from './frame.js';
import { enter, taken } from './calls.js';
import { utf8Bytes, utf8Text } from '../host.js';
import { broken, instance, type Instance } from './instance.js';

export type Secret = string | Uint8Array;
/** The signed timestamp in milliseconds, or NaN; with the secret's index, unless it is the first. */
export type Verdict = number | [stamp: number, index: number];

/** The core's reading of an event, with its members in JSON if they were asked for. */
export interface Envelope {
  /** Empty if only the key could be read. */
  readonly mark: string;
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
  /** Empty if it cannot be read. */
  readonly key: string;
  readonly members: string;
}

/** A scheme by its number, which differs between instances. */
interface Numbered {
  in(one: Instance): number;
}

/** Hashed secrets, and their scheme. */
export class Secrets {
  readonly scheme: Numbered;
  readonly size: number;
  readonly #hashed: Uint8Array;

  constructor(scheme: Numbered, hashed: Uint8Array) {
    this.scheme = scheme;
    this.size = hashed.length;
    this.#hashed = hashed;
  }

  /** Writes them in a row; returns their length in bytes. */
  putAt(bytes: Uint8Array, at: number): number {
    bytes.set(this.#hashed, at);
    return this.size;
  }
}

/** A verifier. The tolerance is in milliseconds; a negative one means no limit. */
export interface Kept {
  readonly secrets: Secrets;
  readonly tolerance: number;
}

/** What follows the secrets: see `verifier.rs`. */
export const BODY = 0;
const NOTHING = 1;
const MACS = 2;

const HASHED = 64;
const MAC = 32;

/** The number of a scheme: the verifier alone has only the core's, and holds no objects. */
let numbered = (scheme: string | SchemeParts): Numbered => {
  let of: Instance | undefined;
  let number = 0;
  const known = (one: Instance) => {
    if (of !== one) {
      number = taken(one, namedIn(one, scheme as string));
      of = one;
    }
    return number;
  };
  enter(known);
  return { in: known };
};

/** Enables schemes of the caller's own: from now on an instance holds each scheme. */
export function learnSchemes(of: typeof numbered): void {
  numbered = of;
}

/** The number of one of the core's schemes. */
export function namedIn(one: Instance, scheme: string): number {
  return one.exports['named_scheme']!(putAlone(one, scheme));
}

/** The names of the headers whose values are passed, in their order, in lower case. */
export function headerNames({ secrets: { scheme } }: Kept): string[] {
  return enter((one) => {
    const names: string[] = [];
    for (let length; (length = one.exports['header']!(scheme.in(one), names.length)) > 0; ) {
      names.push(utf8Text(left(one, length)).toLowerCase());
    }
    return names;
  });
}

/** A verifier with these secrets. The tolerance is in seconds, the core's default, or unlimited. */
export function keep(scheme: string | SchemeParts, secrets: readonly Secret[], tolerance: number | undefined, none: boolean): Kept {
  const hashed = hash(scheme, secrets);
  const limit = Number(tolerance !== undefined) + (none ? 2 : 0);
  const millis = enter((one) => taken(one, one.exports['verifier']!(secrets.length, limit, tolerance ?? 0)));
  return { secrets: hashed, tolerance: millis };
}

/** Hashes secrets. A scheme of the caller's own is checked after them, as in the core. */
export function hash(scheme: string | SchemeParts, secrets: readonly Secret[]): Secrets {
  const named = typeof scheme === 'string' ? numbered(scheme) : undefined;
  const hashed = new Uint8Array(secrets.length * HASHED);
  secrets.forEach((secret, place) => hashed.set(checkSecret(secret), place * HASHED));
  return new Secrets(named ?? numbered(scheme), hashed);
}

/** The hashed secret, valid until the next call. Throws if the secret is invalid. */
export function checkSecret(secret: Secret): Uint8Array {
  return enter((one) => {
    taken(one, one.exports['hash_secret']!(putAlone(one, secret), Number(typeof secret !== 'string')));
    return left(one, HASHED);
  });
}

/** The items of an envelope in the order of their tags: see `receiver.rs`. */
export function envelopeOf(bytes: Uint8Array): Envelope {
  const [mark = '', eventType = '', id = '', key = '', members = ''] = itemsOf(bytes).map(([, value]) => utf8Text(value));
  return { mark, eventType: mark === '0' ? null : eventType, typeIsSigned: mark === '1', id, key, members };
}

/** Calls with a verifier, the headers' values, and the bytes after the secrets. */
export function ask({ secrets, tolerance }: Kept, call: string, values: readonly Values[], behind: string | Uint8Array, last: number, what: number, caller?: Function): number {
  const one = instance();
  try {
    const scheme = secrets.scheme.in(one);
    const bytes = room(one, secrets.size + sizeOf(values) + mostOf(behind));
    const headers = putValues(bytes, values);
    const hashed = secrets.putAt(bytes, headers);
    return taken(one, one.exports[call]!(scheme, tolerance, headers, hashed, put(bytes, headers + hashed, behind), last, what), caller);
  } catch (error) {
    throw broken(one, error);
  }
}

/** The verdict of the last call, which used this many secrets. */
export function verdict(stamp: number, secrets: number): Verdict {
  const index = secrets > 1 ? instance().exports['secret_index']!() : 0;
  return index === 0 ? stamp : [stamp, index];
}

/** @internal The secrets as keys of the host's hash. */
export function keysOf(secrets: readonly Secret[]): Promise<CryptoKey[]> {
  return Promise.all(secrets.map((secret) => {
    const bytes = (typeof secret === 'string' ? utf8Bytes(secret) : secret) as Uint8Array<ArrayBuffer>;
    return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  }));
}

/** @internal Verifies with MACs that the host computes; the module checks everything else. */
export async function askHashed(kept: Kept, keys: readonly CryptoKey[], values: readonly Values[], body: string | Uint8Array, now: number, caller: Function): Promise<Verdict> {
  const prefix = ask(kept, 'verify', values, '', now, NOTHING, caller);
  const message = behind(left(instance(), prefix), body);
  const sign = (key: CryptoKey) => crypto.subtle.sign('HMAC', key, message);
  const macs = keys.length === 1 ? [await sign(keys[0]!)] : await Promise.all(keys.map(sign));
  const bytes = new Uint8Array(macs.length * MAC);
  macs.forEach((mac, place) => bytes.set(new Uint8Array(mac), place * MAC));
  return verdict(ask(kept, 'verify', values, bytes, now, MACS, caller), keys.length);
}

/** Buffers up to this size are kept, because creating one costs as much as the hash. */
const KEPT = 2 << 20;
let joined = new Uint8Array(0);

/** The signed prefix, then the body, in a shared buffer: the host's hash copies it at once. */
function behind(prefix: Uint8Array, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const most = prefix.length + mostOf(body);
  const bytes = joined.length < most ? new Uint8Array(most) : joined;
  if (most <= KEPT) {
    joined = bytes;
  }
  bytes.set(prefix);
  return bytes.subarray(0, prefix.length + put(bytes, prefix.length, body));
}
