/**
 * A route handler for Hono, wherever the package runs.
 *
 * ```js
 * app.post('/velora-webhook', deliveries(receiver));
 * ```
 *
 * It reads the raw body itself: put it before middleware that reads it. A body that was read before
 * is `body_already_parsed`.
 */

import type { Context, Handler } from 'hono';
import { ConfigError } from './errors.js';
import { Receiver, wasRead } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

/**
 * Answers each request with the receiver's reply. Throws `invalid_option` if the receiver has no
 * `onEvent`.
 */
export function deliveries<S extends SchemeName | Scheme>(receiver: Receiver<S>): Handler {
  Receiver.handler(receiver);
  return (context) => {
    const { raw } = context.req;
    if (wasRead(raw)) {
      throw new ConfigError('body_already_parsed', 'the body was read before this route: mount it before the middleware that reads the body');
    }
    return receiver.handle(raw, contextOf(context));
  };
}

/** The host's execution context, if it has one; on other hosts the getter throws. */
function contextOf(context: Context): { waitUntil(work: Promise<unknown>): void } | undefined {
  try {
    return context.executionCtx;
  } catch {
    return undefined;
  }
}
