/** Verifying deliveries, and what a verified one says. */

import * as native from '../native/index.js';
import type { DeliveryParts, Failure } from '../native/index.js';
import { bodyBytes, rawBody, type Body } from './body.js';
import { guard, internal, toError, unwrap } from './errors.js';
import { readEvent, type EventOf, type EventParts } from './events.js';
import { headerValue, headerValues, isPlain, type HeadersInput, type Values } from './headers.js';
import { elsewhere, inspect, type Elsewhere } from './host.js';
import { checkOptions, flagOption, numberOption } from './options.js';
import { Scheme, type SchemeName } from './scheme.js';
import { secretList, type SecretInput } from './secret.js';
import { nowMillis } from './time.js';

/** How a `Verifier` verifies. */
export interface VerifierOptions {
  /** How far a timestamp may lie from now, both ways, in seconds. 300 by default. */
  tolerance?: number | undefined;
  /**
   * No age check at all: a captured delivery can be replayed for ever, or until the store
   * has forgotten its key.
   */
  dangerousNoTolerance?: boolean | undefined;
}

/** How one delivery is verified. */
export interface VerifyOptions {
  /** The time to verify as of: Unix seconds, or a `Date`. The present by default. */
  now?: number | Date | undefined;
}

type Verify = (
  body: string | Uint8Array,
  now: number | undefined,
  ...values: Values[]
) => number | [number, number] | Failure;

/** What a delivery is read with, later. */
interface Reader {
  readonly scheme: string;
  readonly native: native.NativeVerifier;
  readonly read: (body: string | Uint8Array, now: undefined, ...values: Values[]) => string | Failure;
}

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
 */
export class Verifier<S extends SchemeName | Scheme = SchemeName | Scheme> {
  readonly #reader: Reader;
  readonly #verify: Verify;
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
      native.NativeVerifier.create(Scheme.argument(scheme), secretList(secrets), {
        seconds: numberOption('tolerance', tolerance),
        dangerousNoLimit: flagOption('dangerousNoTolerance', dangerousNoTolerance),
      } as native.ToleranceParts),
    );
    const verifier = unwrap(made);
    this.#reader = {
      scheme: typeof scheme === 'string' ? scheme : scheme.name,
      native: verifier,
      read: verifier.fastRead() as Reader['read'],
    };
    this.#verify = verifier.fastVerify() as Verify;
    this.#names = verifier.headerNames.map((name) => name.toLowerCase());
    this.#only = this.#names.length === 1 ? this.#names[0]! : '';
  }

  /** The name of the scheme that deliveries are verified against. */
  get scheme(): string {
    return this.#reader.scheme;
  }

  /**
   * Verifies the raw body, exactly as it was received.
   *
   * Throws a `VerificationError`; `body_already_parsed` where the body is not raw;
   * `unreadable_headers`.
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
      const host = elsewhere(this.#reader.native, raw);
      return host === undefined
        ? Promise.resolve(this.#verified(raw, headers, options, this.verifyAsync))
        : this.#verifiedBy(host, raw, headers, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #verified(raw: string | Uint8Array, headers: HeadersInput, options: VerifyOptions | undefined, behind: Function): Delivery<EventOf<S>> {
    const now = nowOf(options);
    let values: Values[];
    let verified: ReturnType<Verify>;
    if (this.#only !== '' && isPlain(headers)) {
      const value = headerValue(headers, this.#only);
      values = [value];
      verified = this.#verify(raw, now, value);
    } else {
      values = headerValues(headers, this.#names);
      verified = this.#verify(raw, now, ...values);
    }
    return this.#delivery(raw, values, verified, behind);
  }

  async #verifiedBy(host: Elsewhere, raw: string | Uint8Array, headers: HeadersInput, options: VerifyOptions | undefined): Promise<Delivery<EventOf<S>>> {
    const values = headerValues(headers, this.#names);
    const verified = await host.hashed(raw, nowOf(options), values);
    return this.#delivery(raw, values, verified, this.verifyAsync);
  }

  #delivery(raw: string | Uint8Array, values: readonly Values[], verified: ReturnType<Verify>, behind: Function): Delivery<EventOf<S>> {
    if (typeof verified === 'number' || Array.isArray(verified)) {
      return new Delivery(this.#reader, raw, values, verified);
    }
    throw toError(verified, behind);
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
    parts: DeliveryParts | null,
  ): Delivery<EventOf<S>> {
    if (parts === null) {
      throw internal(new Error('the work was taken before'));
    }
    const stamp = parts.signedTimestamp ?? NaN;
    const { key, eventType = null, typeIsSigned } = parts;
    return new Delivery(verifier.#reader, body, values, [stamp, parts.secretIndex], { key, eventType, typeIsSigned });
  }

  [inspect.custom](): string {
    return `Verifier(${this.scheme})`;
  }
}

/**
 * A request that was proven to come from its system. Only a `Verifier` makes one.
 *
 * It refers to the body that was verified and does not copy it: do not write to it before
 * the delivery is dealt with. `event` and `key` are read on first use, and verified with
 * it once more, so that they never come from other bytes than those that were signed.
 * Neither logging it nor `JSON.stringify` shows the body.
 */
export class Delivery<E = unknown> {
  readonly #reader: Reader;
  readonly #body: string | Uint8Array;
  readonly #values: readonly Values[];
  readonly #verified: number | [number, number];
  #parts: EventParts | undefined;
  #event: E | undefined;

  /** @internal */
  constructor(
    reader: Reader,
    body: string | Uint8Array,
    values: readonly Values[],
    verified: number | [number, number],
    parts?: EventParts,
  ) {
    this.#reader = reader;
    this.#body = body;
    this.#values = values;
    this.#verified = verified;
    this.#parts = parts;
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
    const stamp = typeof this.#verified === 'number' ? this.#verified : this.#verified[0];
    return Number.isNaN(stamp) ? null : new Date(stamp);
  }

  /** Which of the verifier's secrets matched, counted from 0. */
  get secretIndex(): number {
    return typeof this.#verified === 'number' ? 0 : this.#verified[1];
  }

  /**
   * The identity to deduplicate on, from signed bytes alone.
   *
   * Throws `malformed_event`, `header_body_mismatch`.
   */
  get key(): string {
    return this.#read().key;
  }

  /**
   * What happened, as the system writes it, where anything says so.
   *
   * Throws `malformed_event`, `header_body_mismatch`.
   */
  get eventType(): string | null {
    return this.#read().eventType;
  }

  /**
   * The typed event.
   *
   * Throws `malformed_event`, `header_body_mismatch`.
   */
  get event(): E {
    if (this.#event === undefined) {
      // Verified once more, whatever was read before: the body may have been written to.
      this.#parts = this.#verifyAgain();
      this.#event = readEvent(this.#reader.scheme, this.#parts, this.#body) as E;
    }
    return this.#event;
  }

  /**
   * Whether a header that is not signed contradicts the body; `event` and `key` ask this
   * too.
   *
   * Throws `header_body_mismatch`.
   */
  checkHeaders(): void {
    unwrap(guard(() => this.#reader.native.checkHeaders(this.body, listed(this.#values))));
  }

  toJSON(): object {
    return { scheme: this.scheme, signedTimestamp: this.signedTimestamp, secretIndex: this.secretIndex };
  }

  [inspect.custom](): string {
    return `Delivery(${this.scheme}, ${this.#body.length} bytes)`;
  }

  #read(): EventParts {
    this.#parts ??= this.#verifyAgain();
    return this.#parts;
  }

  #verifyAgain(): EventParts {
    const read = this.#reader.read(this.#body, undefined, ...(this.#values as Values[]));
    if (typeof read !== 'string') {
      throw toError(read);
    }
    const key = read.lastIndexOf('\n') + 1;
    return {
      key: read.slice(key),
      eventType: read[0] === '0' ? null : read.slice(1, key - 1),
      typeIsSigned: read[0] !== '2',
    };
  }
}

function nowOf(options: VerifyOptions | undefined): number | undefined {
  return options === undefined ? undefined : nowMillis(checkOptions(options, ['now']).now);
}

function listed(values: readonly Values[]): string[][] {
  return values.map((value) => (value === undefined ? [] : typeof value === 'string' ? [value] : value));
}
