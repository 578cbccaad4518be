/** The receiving side of Velora: verify, deduplicate and answer signed webhook deliveries, and read what the systems' APIs serve. */

export { ApiError, StoreError, VeloraError, VerificationError, type Issue } from './errors.js';
export { type Body } from './body.js';
export { type EventOf, type Events } from './events.js';
export { type HeadersInput } from './headers.js';
export { Scheme, type SchemeName, type SchemeOptions } from './scheme.js';
export { SigningSecret, type SecretInput } from './secret.js';
export { Signer, type SignedDelivery } from './signer.js';
export { Verifier, type Delivery, type VerifierOptions, type VerifyOptions } from './verifier.js';
