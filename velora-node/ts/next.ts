/**
 * A route handler for Next.js' App Router.
 *
 * ```js
 * // app/api/velora/route.js
 * export const POST = deliveries(receiver);
 * ```
 *
 * Next.js evaluates the module of a route when it builds, too: where the secret is not there,
 * make the receiver when the first request comes.
 *
 * `velora` needs the Node.js runtime, and `serverExternalPackages: ['velora']` in
 * next.config.js; `velora-wasm` needs neither.
 */

import { Receiver } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

/**
 * Answers each request with the receiver's reply. Throws `invalid_option` if the receiver has no
 * `onEvent`.
 */
export function deliveries<S extends SchemeName | Scheme>(
  receiver: Receiver<S>,
): (request: Request) => Promise<Response> {
  Receiver.handler(receiver);
  return (request) => receiver.handle(request);
}
