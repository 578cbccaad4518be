/**
 * The receiving side of Velora for workers and browsers: verify, deduplicate and answer
 * signed webhook deliveries. `velora-wasm/client` has all of this, and reads the audit API.
 */

import './start/default.js';

export type * as billing from './billing/event.js';
export type * as curae from './curae/event.js';
export type * as health from './health/event.js';
export type * as tv from './tv/event.js';
export * from './parts.js';
