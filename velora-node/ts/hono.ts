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
 * Answers each request as the receiver says. Throws `invalid_option` where it is none that has an
 * `onEvent`.
 */
export function deliveries<S extends SchemeName | Scheme>(receiver: Receiver<S>): Handler {
  Receiver.handler(receiver);
  return (context) => receiver.handle(context.req.raw, contextOf(context));
}

/** What the host gave along, where it gives anything: to ask for it throws elsewhere. */
function contextOf(context: Context): { waitUntil(work: Promise<unknown>): void } | undefined {
  try {
    return context.executionCtx;
  } catch {
    return undefined;
  }
}
