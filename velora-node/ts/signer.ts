/** Deliveries as a system would send them, for tests. */

import * as native from '../native/index.js';
import { bodyBytes, rawBody, type Body } from './body.js';
import { guard, unwrap } from './errors.js';
import { inspect, utf8Bytes, type Bytes } from './host.js';
import { checkOptions } from './options.js';
import { schemeArgument } from './named.js';
import type { Scheme, SchemeName } from './scheme.js';
import { secretList, type SecretInput } from './secret.js';
import { nowMillis } from './time.js';
import type { VerifyOptions } from './verifier.js';

/** A signed test delivery: send `body` with `headers`. */
export interface SignedDelivery {
  /** The raw body, unchanged. */
  body: Bytes;
  /** Names as the system writes them, and values: one character for each byte, as HTTP libraries take them. */
  headers: Record<string, string>;
}

/**
 * Makes deliveries for tests that are byte-identical to production: raw body and headers.
 *
 * Source: CuraeAI, *Webhooks: Test deliveries* (`buildSignedWebhookRequest`).
 */
export class Signer {
  /** The name of the scheme that deliveries are signed for. */
  readonly scheme: string;
  readonly #native: native.NativeSigner;

  /**
   * A list (`t=…,v1=…`) is signed with every secret, as during a rotation.
   *
   * Throws what `Verifier` throws, and `too_many_secrets` if the header carries only one
   * signature.
   */
  constructor(scheme: SchemeName | Scheme, secrets: SecretInput | readonly SecretInput[]) {
    this.#native = unwrap(
      guard(() => native.NativeSigner.create(schemeArgument(scheme), secretList(secrets))),
    );
    this.scheme = typeof scheme === 'string' ? scheme : scheme.name;
  }

  /**
   * Signs a raw body, as of `now` or by default the present. Throws `body_already_parsed`, and
   * `invalid_option` if `now` is not a time.
   */
  sign(body: Body, options?: VerifyOptions): SignedDelivery {
    const now = options === undefined ? undefined : nowMillis(checkOptions(options, ['now']).now);
    const signed = guard(() => this.#native.sign(bodyBytes(rawBody(body)), now));
    return { body: signed.body, headers: Object.fromEntries(signed.headers.map(([name, value]) => [name, onTheWire(value)])) };
  }

  [inspect.custom](): string {
    return `Signer(${this.scheme})`;
  }
}

/** A value that is not ASCII as hosts take it, and show it: each byte as one character. */
function onTheWire(value: string): string {
  return Array.from(utf8Bytes(value), (byte) => String.fromCharCode(byte)).join('');
}
