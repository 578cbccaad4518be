/**
 * A route handler for Next.js' App Router, on the Node.js runtime.
 *
 * ```js
 * // app/api/velora/route.js; in next.config.js: serverExternalPackages: ['velora']
 * export const POST = deliveries(receiver);
 * ```
 */

import type { Receiver } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

/** Answers each request as the receiver says. */
export function deliveries<S extends SchemeName | Scheme>(
  receiver: Receiver<S>,
): (request: Request) => Promise<Response> {
  return (request) => receiver.handle(request);
}
