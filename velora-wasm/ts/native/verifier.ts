/** Calls of a verifier of the module, and the host's own hash. */

import type { SchemeParts } from './types.js';
import { itemsOf, mostOf, put, putValues, room, said, sizeOf, type Item, type Values } from './frame.js';
import { taken, type Made } from './calls.js';
import { utf8Bytes, utf8Text } from '../host.js';
import { broken, instance } from './instance.js';

export type Secret = string | Uint8Array;
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

/** What stands behind the headers: see `verifier.rs`. */
export const BODY = 0;
const NOTHING = 1;
const MACS = 2;

/** The items of a scheme of the caller's own, which not everyone has. */
let described: (scheme: SchemeParts) => Item[];

/** From here on there are schemes of the caller's own. */
export function learnSchemes(items: typeof described): void {
  described = items;
}

/** The items of a scheme and secrets. */
export function schemeItems(scheme: string | SchemeParts, secrets: readonly Secret[]): Item[] {
  const named: Item[] = typeof scheme === 'string' ? [[0, scheme]] : described(scheme);
  return [...named, ...secrets.map((secret): Item => [typeof secret === 'string' ? 1 : 2, secret])];
}

/** The items of an envelope in the order of their tags: see `receiver.rs`. */
export function envelopeOf(bytes: Uint8Array): Envelope {
  const [mark, eventType = '', id = '', key = '', members = ''] = itemsOf(bytes).map(([, value]) => utf8Text(value));
  return { eventType: mark === '0' ? null : eventType, typeIsSigned: mark !== '2', id, key, members };
}

/** Calls with the values of headers and what is behind them. */
export function ask(made: Made, call: string, values: readonly Values[], behind: string | Uint8Array, last: number, what: number, caller?: Function): number {
  const one = instance();
  try {
    const at = made.in(one);
    const bytes = room(one, sizeOf(values) + mostOf(behind));
    const headers = putValues(bytes, values);
    return taken(one, one.exports[call]!(at, headers, put(bytes, headers, behind), last, what), caller);
  } catch (error) {
    throw broken(one, error);
  }
}

/** The verdict of the call that was just made, of so many secrets. */
export function verdict(stamp: number, secrets: number): Verdict {
  const index = secrets > 1 ? instance().exports['secret_index']!() : 0;
  return index === 0 ? stamp : [stamp, index];
}

/** The secrets as keys of the host's hash. */
export function keysOf(secrets: readonly Secret[]): Promise<CryptoKey[]> {
  return Promise.all(secrets.map((secret) => {
    const bytes = (typeof secret === 'string' ? utf8Bytes(secret) : secret) as Uint8Array<ArrayBuffer>;
    return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  }));
}

/** Hashes with the host what the module has checked but for that, and gives what the module says to that. */
export async function askHashed(made: Made, keys: readonly CryptoKey[], values: readonly Values[], body: string | Uint8Array, now: number, caller: Function): Promise<Verdict> {
  ask(made, 'verify', values, '', now, NOTHING, caller);
  const message = behind(said(instance()), body);
  const sign = (key: CryptoKey) => crypto.subtle.sign('HMAC', key, message);
  const macs = keys.length === 1 ? [await sign(keys[0]!)] : await Promise.all(keys.map(sign));
  const bytes = new Uint8Array(macs.length * MAC);
  macs.forEach((mac, place) => bytes.set(new Uint8Array(mac), place * MAC));
  return verdict(ask(made, 'verify', values, bytes, now, MACS, caller), keys.length);
}

const MAC = 32;
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
