/**
 * The receiving side of Velora: verify, deduplicate and answer signed webhook deliveries,
 * and read what the systems' APIs serve.
 */

export * as billing from './billing/index.js';
export * as curae from './curae/index.js';
export * as health from './health/index.js';
export * as tv from './tv/index.js';

export { ApiError, type Issue } from './api-error.js';
export type { Body } from './body.js';
export type { CallOptions } from './calls.js';
export type { ClientOptions, RateLimit } from './client.js';
export { ConfigError, FileError, StoreError, VeloraError, VerificationError } from './errors.js';
export type { EventOf, Events } from './events.js';
export type { HeadersInput } from './headers.js';
export type { Code } from './codes.js';
export { Items, Steps, type Page } from './paging.js';
export { Receiver, Work, type Backfilled, type Handler, type HostContext, type Outcome, type ReceiverOptions, type Reply } from './receiver.js';
export { Scheme, type SchemeName, type SchemeOptions } from './scheme.js';
export { SigningSecret, type SecretInput } from './secret.js';
export { Signer, type SignedDelivery } from './signer.js';
export { openStore, type ClaimIn, type DurableStore, type StoreOptions } from './durable.js';
export { Lease, MemoryStore, Store, type Claim, type CustomClaim, type CustomStore, type MemoryStoreOptions } from './store.js';
export type { PgClient } from './transaction.js';
export { Verifier, type Delivery, type VerifierOptions, type VerifyOptions } from './verifier.js';
