/** Events of deliveries, which the verifier alone has not. */

import { Lazy } from './events.js';
import { learnEvents } from './verifier.js';

/** From here on deliveries have events. */
export function withEvents(): void {
  learnEvents((names, envelope, text) => new Lazy(names, envelope, { json: () => envelope.members, text: () => text }).event());
}
