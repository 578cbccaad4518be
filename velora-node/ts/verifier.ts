/** Verifies deliveries, and reads verified ones. */

import { inspect } from './host.js';
import * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { bodyBytes, rawMemory, unshared, type Body } from './body.js';
import { guard, toError, unwrap } from './errors.js';
import { lazyEvent, type EventOf } from './events.js';
import { headerValue, headerValues, interned, isPlain, type HeadersInput, type Values } from './headers.js';
import { checkOptions, flagOption, numberOption } from './options.js';
import { schemeArgument } from './named.js';
import { ENVELOPE, KEY, Reading, signed, type Reader } from './reader.js';
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

type Verify = (body: string | Uint8Array, now: number | undefined, ...values: Values[]) => string | Failure | undefined;

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
  readonly #verify: Verify;
  readonly #verifyAndRead: Verify;
  readonly #names: readonly string[];
  /** Of the one header that is looked at, or empty. */
  readonly #only: string;

  /**
   * Throws `unknown_scheme`, `invalid_scheme`; `empty_secret`, `secret_has_whitespace`,
   * `no_secret`; `invalid_tolerance`, `invalid_option`.
   */
  constructor(scheme: S, secrets: SecretInput | readonly SecretInput[], options?: VerifierOptions) {
    const { tolerance, dangerousNoTolerance } = checkOptions(options, ['tolerance', 'dangerousNoTolerance']);
    const made = guard(() =>
      native.NativeVerifier.create(schemeArgument(scheme), secretList(secrets), {
        seconds: numberOption('tolerance', tolerance),
        dangerousNoTolerance: flagOption('dangerousNoTolerance', dangerousNoTolerance),
      } as native.ToleranceParts),
    );
    const verifier = unwrap(made);
    const [typeName, idName] = verifier.eventNames.map(interned);
    this.#reader = {
      scheme: typeof scheme === 'string' ? scheme : scheme.name,
      native: verifier,
      typeName,
      idName,
      read: verifier.fastRead() as Reader['read'],
      readAhead: 0,
    };
    this.#verify = verifier.fastVerify(false) as Verify;
    this.#verifyAndRead = verifier.fastVerify(true) as Verify;
    this.#names = verifier.headerNames.map((name) => name.toLowerCase());
    this.#only = this.#names.length === 1 ? interned(this.#names[0]!) : '';
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
    let raw = rawMemory(body);
    const now = options === undefined ? undefined : nowMillis(checkOptions(options, ['now']).now);
    const reader = this.#reader;
    let verify = this.#verify;
    if (reader.readAhead > 0) {
      reader.readAhead -= 1;
      verify = this.#verifyAndRead;
    }
    const values = this.#only !== '' && isPlain(headers) ? [headerValue(headers, this.#only)] : headerValues(headers, this.#names);
    let verdict = ask(verify, raw, now, values);
    if (verdict === undefined) {
      raw = unshared(raw as Uint8Array);
      verdict = ask(verify, raw, now, values) as string | Failure;
    }
    if (typeof verdict === 'string') {
      return new Delivery(reader, raw, values, verdict);
    }
    throw toError(verdict, this.verify);
  }

  /** The same as `verify`, for code that also runs on the edge, where the host may hash a large body. */
  async verifyAsync(body: Body, headers: HeadersInput, options?: VerifyOptions): Promise<Delivery<EventOf<S>>> {
    return this.verify(body, headers, options);
  }

  /** @internal The addon's verifier. */
  static native(verifier: Verifier): native.NativeVerifier {
    return verifier.#reader.native;
  }

  /** @internal The values of the headers that are looked at. */
  static values(verifier: Verifier, headers: HeadersInput): string[][] {
    return listed(headerValues(headers, verifier.#names));
  }

  /** @internal A delivery that a receiver has verified. */
  static delivery<S extends SchemeName | Scheme>(
    verifier: Verifier<S>,
    body: Uint8Array,
    values: string[][],
    verdict: string,
  ): Delivery<EventOf<S>> {
    return new Delivery(verifier.#reader, body, values, verdict);
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
  /** What the addon says of it: see `fast/verdict.rs`. */
  readonly #verdict: string;
  #reading: Reading | undefined;
  #event: E | undefined;

  /** @internal */
  constructor(reader: Reader, body: string | Uint8Array, values: readonly Values[], verdict: string) {
    this.#reader = reader;
    this.#body = body;
    this.#values = values;
    this.#verdict = verdict;
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
    const [stamp] = signed(this.#verdict);
    return stamp === '' ? null : new Date(Number(stamp));
  }

  /** Which of the verifier's secrets matched, counted from 0. */
  get secretIndex(): number {
    return Number(signed(this.#verdict)[1]);
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
    return this.#read(KEY).key;
  }

  /**
   * The event's type as the system writes it; null if nothing names it.
   *
   * Throws `malformed_event`, `header_body_mismatch`; `signature_mismatch` or
   * `body_already_parsed` if the body was overwritten, or transferred, before this was first read.
   */
  get eventType(): string | null {
    return this.#read(ENVELOPE).eventType;
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
    this.#event ??= lazyEvent(this.#reader, this.#read(ENVELOPE)) as E;
    return this.#event;
  }

  /**
   * Checks that no header outside the signature contradicts the body; `event` and `key` do this
   * too.
   *
   * Throws `header_body_mismatch`.
   */
  checkHeaders(): void {
    unwrap(guard(() => this.#reader.native.checkHeaders(bodyBytes(rawMemory(this.#body)), listed(this.#values))));
  }

  toJSON(): object {
    return { scheme: this.scheme, signedTimestamp: this.signedTimestamp, secretIndex: this.secretIndex };
  }

  [inspect.custom](): string {
    return `Delivery(${this.scheme}, ${this.#body.length} bytes)`;
  }

  #read(wanted: typeof ENVELOPE | typeof KEY): Reading {
    const reading = this.#reading ?? Reading.of(this.#reader, this.#body, this.#values, this.#verdict);
    // A copy that was not found to be what was signed is not kept.
    this.#reading = reading.with(wanted);
    return reading;
  }
}

/** One value is not spread: that costs as much as to look for it. */
function ask(verify: Verify, raw: string | Uint8Array, now: number | undefined, values: readonly Values[]): ReturnType<Verify> {
  return values.length === 1 ? verify(raw, now, values[0]) : verify(raw, now, ...values);
}

function listed(values: readonly Values[]): string[][] {
  return values.map((value) => (value === undefined ? [] : typeof value === 'string' ? [value] : value));
}
