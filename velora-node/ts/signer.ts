/** Deliveries as a system would send them, for tests. */

import * as native from '../native/index.js';
import { bodyBytes, rawBody, type Body } from './body.js';
import { guard, unwrap } from './errors.js';
import { inspect, type Bytes } from './host.js';
import { checkOptions } from './options.js';
import { schemeArgument } from './named.js';
import type { Scheme, SchemeName } from './scheme.js';
import { secretList, type SecretInput } from './secret.js';
import { nowMillis } from './time.js';
import type { VerifyOptions } from './verifier.js';

/** What a `Signer` made: send `body` with `headers`. */
export interface SignedDelivery {
  /** The raw body, unchanged. */
  body: Bytes;
  /** Names as the system writes them, and values. */
  headers: Record<string, string>;
}

/**
 * Makes deliveries that are byte-identical to production: raw body and headers.
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
   * Throws what `Verifier` does, and `too_many_secrets` where the header carries one
   * signature only.
   */
  constructor(scheme: SchemeName | Scheme, secrets: SecretInput | readonly SecretInput[]) {
    this.#native = unwrap(
      guard(() => native.NativeSigner.create(schemeArgument(scheme), secretList(secrets))),
    );
    this.scheme = typeof scheme === 'string' ? scheme : scheme.name;
  }

  /**
   * Signs a raw body, as of now or of the time that is given. Throws `body_already_parsed`, and
   * `invalid_option` where that is no time.
   */
  sign(body: Body, options?: VerifyOptions): SignedDelivery {
    const now = options === undefined ? undefined : nowMillis(checkOptions(options, ['now']).now);
    const signed = guard(() => this.#native.sign(bodyBytes(rawBody(body)), now));
    return { body: signed.body, headers: Object.fromEntries(signed.headers) };
  }

  [inspect.custom](): string {
    return `Signer(${this.scheme})`;
  }
}
