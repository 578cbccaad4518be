/** Verifies deliveries, and reads verified ones. */

import { bodyBytes, rawBody, rawMemory, type Body } from './body.js';
import { ConfigError } from './errors.js';
import type { EventOf, Names } from './events.js';
import { headerValues, type HeadersInput, type Values } from './headers.js';
import { inspect } from './host.js';
import { ask, askHashed, BODY, headerNames, keep, keysOf, verdict, type Envelope, type Kept, type Secret, type Verdict } from './native/verifier.js';
import { checkOptions, flagOption, numberOption } from './options.js';
import { schemeArgument } from './named.js';
import type { Scheme, SchemeName } from './scheme.js';
import { secretList, type SecretInput } from './secret.js';
import { nowMillis } from './time.js';

/** The options of a `Verifier`. */
export interface VerifierOptions {
  /** How far a timestamp may be from now, in either direction, in seconds. 300 by default. */
  tolerance?: number | undefined;
  /**
   * Switches the age check off: a captured delivery then passes for ever, and only a store that
   * still remembers its key stops a replay. Cannot be combined with a `tolerance`.
   */
  dangerousNoTolerance?: boolean | undefined;
}

/** The options of one verification. */
export interface VerifyOptions {
  /** The time to verify as of: Unix seconds, or a `Date`. By default the present. */
  now?: number | Date | undefined;
}

/** What is needed to read a delivery. */
export interface Reader {
  readonly scheme: string;
  readonly kept: Kept;
  /** Copies a small body. Set once a delivery was read, because then others will be too. */
  copy?(body: Uint8Array): Uint8Array | undefined;
  /** The names of an event's members, once one was read. */
  names?: Names;
}

/** The parts of a delivery that can be read if the package has events. */
export interface Reading<E> {
  readonly key: string;
  readonly eventType: string | null;
  readonly event: E;
  checkHeaders(): void;
}

/** `copy` is a copy of the verified body; without it, the body is verified again. */
type Read = (reader: Reader, copy: string | Uint8Array | undefined, body: string | Uint8Array, values: readonly Values[], envelope?: Envelope) => Reading<unknown>;
let readingOf: Read = () => {
  throw new ConfigError('invalid_option', 'velora-wasm/verify reads no events: import velora-wasm');
};

/** Enables reading deliveries. */
export function learnReading(of: Read): void {
  readingOf = of;
}

/**
 * From this size on, the host's own hash is faster, including the calls. Other hosts than Cloudflare
 * Workers hash in another thread, which takes them 0.1 ms.
 */
const ELSEWHERE = globalThis.navigator?.userAgent === 'Cloudflare-Workers' ? 1792 : 49_152;

/**
 * Verifies deliveries of one scheme under one or more secrets. Create it once and keep it.
 *
 * ```js
 * const verifier = new Verifier('health', process.env.VELORA_WEBHOOK_SECRET);
 * const delivery = verifier.verify(rawBody, request.headers);
 * ```
 *
 * The checks run in this order, and the first failure is the error: `missing_header`,
 * `duplicate_header`, `header_too_large`, `malformed_header`, `malformed_timestamp`,
 * `timestamp_too_old`, `timestamp_in_future`, `signature_mismatch`. The body is not parsed
 * before its signature is verified.
 *
 * Sources: Velora Health, *Webhooks: Verify the signature*; Velora Billing, *API + Webhooks:
 * Verifying signatures*; CuraeAI, *Webhooks: Verify every delivery*; Velora TV, *Webhooks:
 * Verifying Signatures*.
 */
export class Verifier<S extends SchemeName | Scheme = SchemeName | Scheme> {
  readonly #reader: Reader;
  readonly #secrets: readonly Secret[];
  readonly #names: readonly string[];
  #keys: CryptoKey[] | undefined;

  /**
   * Throws `unknown_scheme`, `invalid_scheme`; `empty_secret`, `secret_has_whitespace`,
   * `no_secret`; `invalid_tolerance`, `invalid_option`.
   */
  constructor(scheme: S, secrets: SecretInput | readonly SecretInput[], options?: VerifierOptions) {
    const { tolerance, dangerousNoTolerance } = checkOptions(options, ['tolerance', 'dangerousNoTolerance']);
    const argument = schemeArgument(scheme);
    this.#secrets = secretList(secrets);
    const seconds = numberOption('tolerance', tolerance);
    const none = flagOption('dangerousNoTolerance', dangerousNoTolerance) === true;
    const kept = keep(argument, this.#secrets, seconds, none);
    this.#names = headerNames(kept);
    this.#reader = { scheme: typeof scheme === 'string' ? scheme : scheme.name, kept };
  }

  /** The name of the scheme that deliveries are verified against. */
  get scheme(): string {
    return this.#reader.scheme;
  }

  /**
   * Verifies the raw body, exactly as it was received. Pass its bytes: a string is verified as
   * its UTF-8 bytes, which need not be the bytes that were sent, because decoding drops a byte
   * order mark and replaces invalid UTF-8.
   *
   * Throws a `VerificationError`; `body_already_parsed` if the body is not raw;
   * `unreadable_headers`; `invalid_option` if `now` is not a time.
   */
  verify(body: Body, headers: HeadersInput, options?: VerifyOptions): Delivery<EventOf<S>> {
    return this.#verified(rawBody(body), headers, options, this.verify);
  }

  /**
   * The same as `verify`, but the host hashes a large body where that is faster: in Cloudflare
   * Workers one of 1,792 bytes or more, elsewhere one of 48 KiB or more. Do not write to the body
   * until the promise is settled.
   */
  verifyAsync(body: Body, headers: HeadersInput, options?: VerifyOptions): Promise<Delivery<EventOf<S>>> {
    // A settled promise costs less than an async function.
    try {
      const raw = rawBody(body);
      return raw.length < ELSEWHERE || globalThis.crypto?.subtle === undefined
        ? Promise.resolve(this.#verified(raw, headers, options, this.verifyAsync))
        : this.#hashed(raw, headers, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #verified(raw: string | Uint8Array, headers: HeadersInput, options: VerifyOptions | undefined, caller: Function): Delivery<EventOf<S>> {
    const now = nowOf(options);
    const values = headerValues(headers, this.#names);
    const stamp = ask(this.#reader.kept, 'verify', values, raw, now, BODY, caller);
    return new Delivery(this.#reader, raw, values, verdict(stamp, this.#secrets.length));
  }

  async #hashed(raw: string | Uint8Array, headers: HeadersInput, options: VerifyOptions | undefined): Promise<Delivery<EventOf<S>>> {
    const now = nowOf(options);
    const values = headerValues(headers, this.#names);
    this.#keys ??= await keysOf(this.#secrets);
    const found = await askHashed(this.#reader.kept, this.#keys, values, rawMemory(raw), now, this.verifyAsync);
    return new Delivery(this.#reader, raw, values, found);
  }

  /** @internal What a receiver needs of it. */
  static native(verifier: Verifier): Kept {
    return verifier.#reader.kept;
  }

  /** @internal The values of the headers that the scheme names. */
  static values(verifier: Verifier, headers: HeadersInput): Values[] {
    return headerValues(headers, verifier.#names);
  }

  /** @internal A delivery that a receiver has verified. */
  static delivery<S extends SchemeName | Scheme>(
    verifier: Verifier<S>,
    body: Uint8Array,
    values: Values[],
    [verdict, envelope]: [Verdict, Envelope],
  ): Delivery<EventOf<S>> {
    return new Delivery(verifier.#reader, body, values, verdict, envelope);
  }

  [inspect.custom](): string {
    return `Verifier(${this.scheme})`;
  }
}

/**
 * A request that was proven to come from its system. Only a `Verifier` makes one.
 *
 * `event` and `key` always come from the bytes that were signed, even if you write to the body's
 * memory afterwards: unless the body was copied during verification, it is verified again when
 * `event` or `key` is first read. That read throws `body_already_parsed` if the memory was
 * transferred. `body` is that memory itself. Neither logging a delivery nor `JSON.stringify`
 * shows its body.
 */
export class Delivery<E = unknown> {
  readonly #reader: Reader;
  readonly #body: string | Uint8Array;
  readonly #values: readonly Values[];
  readonly #verdict: Verdict;
  readonly #copy: string | Uint8Array | undefined;
  readonly #envelope: Envelope | undefined;
  #reading: Reading<E> | undefined;

  /** @internal */
  constructor(reader: Reader, body: string | Uint8Array, values: readonly Values[], verdict: Verdict, envelope?: Envelope) {
    this.#reader = reader;
    this.#body = body;
    this.#values = values;
    this.#verdict = verdict;
    this.#copy = typeof body === 'string' ? body : reader.copy?.(body);
    this.#envelope = envelope;
  }

  /** The name of the scheme it was verified against. */
  get scheme(): string {
    return this.#reader.scheme;
  }

  /** The raw body: the very bytes that were signed. */
  get body(): Uint8Array {
    return bodyBytes(this.#body);
  }

  /** When it was signed; null if the scheme does not sign its timestamp. */
  get signedTimestamp(): Date | null {
    const [stamp] = this.#parts();
    return Number.isNaN(stamp) ? null : new Date(stamp);
  }

  /** Which of the verifier's secrets matched, counted from 0. */
  get secretIndex(): number {
    return this.#parts()[1];
  }

  /**
   * The identity to deduplicate on, from signed bytes only. It reads only the members that
   * identify the event, or none if the body's digest is the identity. So there can be a key even
   * if `event` is `malformed_event`.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` or
   * `body_already_parsed` if the body was overwritten, or transferred, before this was first read.
   */
  get key(): string {
    return this.#read().key;
  }

  /**
   * The event's type as the system writes it; null if nothing names it.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` or
   * `body_already_parsed` if the body was overwritten, or transferred, before this was first read.
   */
  get eventType(): string | null {
    return this.#read().eventType;
  }

  /**
   * The typed event; its members are parsed when they are first read. It is read-only, but the
   * objects inside it are not: `structuredClone({ ...event })` is a copy that you can change.
   * Logging it does not show its members, but `JSON.stringify` writes all of them.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` or
   * `body_already_parsed` if the body was overwritten, or transferred, before this was first read.
   */
  get event(): E {
    return this.#read().event;
  }

  /**
   * Checks that no header outside the signature contradicts the body; `event` and `key` do this
   * too.
   *
   * Throws `header_body_mismatch`.
   */
  checkHeaders(): void {
    this.#read().checkHeaders();
  }

  toJSON(): object {
    return { scheme: this.scheme, signedTimestamp: this.signedTimestamp, secretIndex: this.secretIndex };
  }

  [inspect.custom](): string {
    return `Delivery(${this.scheme}, ${this.#body.length} bytes)`;
  }

  #parts(): [stamp: number, index: number] {
    return typeof this.#verdict === 'number' ? [this.#verdict, 0] : this.#verdict;
  }

  #read(): Reading<E> {
    this.#reading ??= readingOf(this.#reader, this.#copy, this.#body, this.#values, this.#envelope) as Reading<E>;
    return this.#reading;
  }
}

function nowOf(options: VerifyOptions | undefined): number {
  return (options === undefined ? undefined : nowMillis(checkOptions(options, ['now']).now)) ?? Date.now();
}
