/** Verifying deliveries, and what a verified one says. */

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

/** How a `Verifier` verifies. */
export interface VerifierOptions {
  /** How far a timestamp may lie from now, both ways, in seconds. 300 by default. */
  tolerance?: number | undefined;
  /**
   * No age check at all: a captured delivery can be replayed for ever, or until the store
   * has forgotten its key. Not beside a `tolerance`.
   */
  dangerousNoTolerance?: boolean | undefined;
}

/** How one delivery is verified. */
export interface VerifyOptions {
  /** The time to verify as of: Unix seconds, or a `Date`. The present by default. */
  now?: number | Date | undefined;
}

/** What a delivery is read with. */
export interface Reader {
  readonly scheme: string;
  readonly kept: Kept;
  /** A copy of a small body, once a delivery was read: then others are too. */
  copy?(body: Uint8Array): Uint8Array | undefined;
  /** What its events are called by, once one was read. */
  names?: Names;
}

/** What is read of a delivery, where the package has events. */
export interface Reading<E> {
  readonly key: string;
  readonly eventType: string | null;
  readonly event: E;
  checkHeaders(): void;
}

/** The `copy` is of what was verified; without, the body is verified once more. */
type Read = (reader: Reader, copy: string | Uint8Array | undefined, body: string | Uint8Array, values: readonly Values[], envelope?: Envelope) => Reading<unknown>;
let readingOf: Read = () => {
  throw new ConfigError('invalid_option', 'velora-wasm/verify reads no events: import from velora-wasm');
};

/** From here on deliveries are read. */
export function learnReading(of: Read): void {
  readingOf = of;
}

/** From here on the host's own hash is quicker, the way there and back included. */
const ELSEWHERE = 1792;

/**
 * Verifies deliveries of one scheme under one or more secrets. Make it once and keep it.
 *
 * ```js
 * const verifier = new Verifier('health', process.env.VELORA_WEBHOOK_SECRET);
 * const delivery = verifier.verify(rawBody, request.headers);
 * ```
 *
 * The checks, in this order, the first failure wins: `missing_header`,
 * `duplicate_header`, `header_too_large`, `malformed_header`, `malformed_timestamp`,
 * `timestamp_too_old`, `timestamp_in_future`, `signature_mismatch`. Nothing is parsed
 * before the signature has held.
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
   * Verifies the raw body, exactly as it was received: its bytes. A text is taken for the bytes
   * that it is in UTF-8, which need not be those that were sent: decoding drops a byte order
   * mark, and replaces what is not UTF-8.
   *
   * Throws a `VerificationError`; `body_already_parsed` where the body is not raw;
   * `unreadable_headers`; `invalid_option` where `now` is no time.
   */
  verify(body: Body, headers: HeadersInput, options?: VerifyOptions): Delivery<EventOf<S>> {
    return this.#verified(rawBody(body), headers, options, this.verify);
  }

  /**
   * The same, and a large body is hashed by the host where that is quicker. Until it is
   * done, do not write to the body.
   */
  verifyAsync(body: Body, headers: HeadersInput, options?: VerifyOptions): Promise<Delivery<EventOf<S>>> {
    // A promise that is settled already costs less than a function that is asynchronous.
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
    const values = headerValues(headers, this.#names);
    const now = nowOf(options);
    this.#keys ??= await keysOf(this.#secrets);
    const found = await askHashed(this.#reader.kept, this.#keys, values, rawMemory(raw), now, this.verifyAsync);
    return new Delivery(this.#reader, raw, values, found);
  }

  /** @internal As a receiver takes it. */
  static native(verifier: Verifier): Kept {
    return verifier.#reader.kept;
  }

  /** @internal The values of the headers that are looked at. */
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
 * `event` and `key` come from the very bytes that were signed, whatever becomes of the
 * memory they came in: where deliveries are read, a small body is copied when it is
 * verified; any other one is verified once more when `event` or `key` is first read, which
 * is `body_already_parsed` where that memory was given away. `body` is that memory itself.
 * Neither logging it nor `JSON.stringify` shows the body.
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

  /** When it was signed; null where the scheme does not sign its timestamp. */
  get signedTimestamp(): Date | null {
    const [stamp] = this.#parts();
    return Number.isNaN(stamp) ? null : new Date(stamp);
  }

  /** Which of the verifier's secrets matched, counted from 0. */
  get secretIndex(): number {
    return this.#parts()[1];
  }

  /**
   * The identity to deduplicate on, from signed bytes alone. It needs the members that
   * identify the event, or nothing but the bytes where their digest does: there can be a key
   * where `event` is `malformed_event`.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` and
   * `body_already_parsed` where the body was written to, or given away, before this was read.
   */
  get key(): string {
    return this.#read().key;
  }

  /**
   * What happened, as the system writes it, where anything says so.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` and
   * `body_already_parsed` where the body was written to, or given away, before this was read.
   */
  get eventType(): string | null {
    return this.#read().eventType;
  }

  /**
   * The typed event; its members are parsed when they are asked for. It is read-only, what
   * its members hold is not: `structuredClone({ ...event })` is a copy to write to. Logging it
   * does not show its members, and `JSON.stringify` gives the body's members back.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` and
   * `body_already_parsed` where the body was written to, or given away, before this was read.
   */
  get event(): E {
    return this.#read().event;
  }

  /**
   * Whether a header that is not signed contradicts the body; `event` and `key` ask this
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
