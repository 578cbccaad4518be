/**
 * A route handler for Hono, wherever the package runs.
 *
 * ```js
 * app.post('/velora-webhook', deliveries(receiver));
 * ```
 */

import type { Context, Handler } from 'hono';
import { Receiver } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

/**
 * Answers each request with the receiver's reply. Throws `invalid_option` if the receiver has no
 * `onEvent`.
 */
export function deliveries<S extends SchemeName | Scheme>(receiver: Receiver<S>): Handler {
  Receiver.handler(receiver);
  return (context) => receiver.handle(context.req.raw, contextOf(context));
}

/** The host's execution context, if it has one; on other hosts the getter throws. */
function contextOf(context: Context): { waitUntil(work: Promise<unknown>): void } | undefined {
  try {
    return context.executionCtx;
  } catch {
    return undefined;
  }
}
