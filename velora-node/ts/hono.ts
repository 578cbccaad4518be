/**
 * A route handler for Hono, wherever the package runs.
 *
 * ```js
 * app.post('/velora-webhook', deliveries(receiver));
 * ```
 */

import type { Handler } from 'hono';
import type { Receiver } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

/** Answers each request as the receiver says. */
export function deliveries<S extends SchemeName | Scheme>(receiver: Receiver<S>): Handler {
  return (context) => receiver.handle(context.req.raw);
}
