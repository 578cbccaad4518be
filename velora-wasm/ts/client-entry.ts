/** All of `velora-wasm`, and the client of the audit API over the host's `fetch`. */

import './start/client.js';

export type * as billing from './billing/event.js';
export type * as curae from './curae/event.js';
export type * as tv from './tv/event.js';
export * as health from './health/index.js';
export type { CallOptions } from './calls.js';
export type { ClientOptions, RateLimit } from './client.js';
export { Items, Steps, type Page } from './paging.js';
export * from './parts.js';
