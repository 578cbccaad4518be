/** What the default entry and the client's have in common. */

export { ApiError, type Issue } from './api-error.js';
export type { Body } from './body.js';
export type { Code } from './codes.js';
export { ConfigError, FileError, StoreError, VeloraError, VerificationError } from './errors.js';
export type { EventOf, Events } from './events.js';
export type { HeadersInput } from './headers.js';
export { Receiver, Work, type Backfilled, type Handler, type HostContext, type Outcome, type ReceiverOptions, type Reply } from './receiver.js';
export { Scheme, type SchemeName, type SchemeOptions } from './scheme.js';
export { SigningSecret, type SecretInput } from './secret.js';
export { Signer, type SignedDelivery } from './signer.js';
export { Lease, MemoryStore, Store } from './store.js';
export type { Claim, CustomClaim, CustomStore, MemoryStoreOptions } from './store.js';
export { Verifier, type Delivery, type VerifierOptions, type VerifyOptions } from './verifier.js';
