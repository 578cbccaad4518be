/**
 * The verifier alone, for workers that check and pass on. A delivery has its body, time
 * and secret here; its `key`, `event` and `eventType`, and schemes of your own, are in
 * `velora-wasm`.
 */

import './start/verify.js';

export type { Body } from './body.js';
export type { Code } from './codes.js';
export { ConfigError, VeloraError, VerificationError } from './errors.js';
export type { HeadersInput } from './headers.js';
export type { SchemeName } from './scheme.js';
export { SigningSecret, type SecretInput } from './secret.js';
export { Verifier, type Delivery, type VerifierOptions, type VerifyOptions } from './verifier.js';
