/** Verifiers, and the host's own hash. */

import type { Failure, SchemeParts, ToleranceParts } from './types.js';
import { mostOf, put, putItems, putValues, room, said, saidText, sizeOf, type Item, type Values } from './frame.js';
import { enter, FAILED, lastFailure, Made } from './calls.js';
import { broken, instance, type Instance } from './instance.js';

type Secret = string | Uint8Array;
type Verdict = number | [number, number] | Failure;

const MAC = 32;
const encoder = new TextEncoder();

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
  #keys: Promise<CryptoKey[]> | undefined;

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
    const names = enter((one) => {
      one.exports['header_names']!(this.in(one));
      return saidText(one);
    });
    return names.split('\n').slice(0, -1);
  }

  fastVerify(): (body: string | Uint8Array, now: number | undefined, ...values: Values[]) => Verdict {
    const read = (one: Instance, number: number) => this.#verdict(one, number);
    return (body, now, ...values) => this.#asked('verify', body, values, read, now ?? Date.now());
  }

  fastRead(): (body: string | Uint8Array, now: undefined, ...values: Values[]) => string | Failure {
    return (body, _, ...values) => this.#asked('read_event', body, values, saidText);
  }

  checkHeaders(body: Uint8Array, values: string[][]): boolean | Failure {
    return this.#asked('check_headers', body, values, () => true);
  }

  /** Hashes with the host. */
  async hashed(body: string | Uint8Array, now: number | undefined, values: readonly Values[]): Promise<Verdict> {
    const { subtle } = crypto;
    const present = now ?? Date.now();
    const message = this.#checked(values, [], present, (one) => {
      const prefix = said(one);
      const bytes = typeof body === 'string' ? encoder.encode(body) : body;
      const joined = new Uint8Array(prefix.length + bytes.length);
      joined.set(prefix);
      joined.set(bytes, prefix.length);
      return joined;
    });
    if (!(message instanceof Uint8Array)) {
      return message;
    }
    this.#keys ??= Promise.all(this.#secrets.map((secret) => keyOf(subtle, secret)));
    const keys = await this.#keys;
    const macs = await Promise.all(keys.map((key) => subtle.sign('HMAC', key, message)));
    return this.#checked(values, macs, present, (one, number) => this.#verdict(one, number));
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

  #asked<T>(call: string, body: string | Uint8Array, values: readonly Values[], read: (one: Instance, number: number) => T, now = 0): T | Failure {
    const one = instance();
    try {
      const at = this.in(one);
      const bytes = room(one, sizeOf(values) + mostOf(body));
      const headers = putValues(bytes, values);
      const number = one.exports[call]!(at, headers, put(bytes, headers, body), now);
      return number === FAILED ? lastFailure(one) : read(one, number);
    } catch (error) {
      throw broken(one, error);
    }
  }

  #verdict(one: Instance, stamp: number): Verdict {
    const index = this.#secrets.length > 1 ? one.exports['secret_index']!() : 0;
    return index === 0 ? stamp : [stamp, index];
  }
}

function keyOf(subtle: SubtleCrypto, secret: Secret): Promise<CryptoKey> {
  const bytes = typeof secret === 'string' ? encoder.encode(secret) : Uint8Array.from(secret);
  return subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}
