/** Events of deliveries, which the verifier alone has not. */

import { lazyEvent } from './events.js';
import { learnEvents } from './verifier.js';

/** From here on deliveries have events. */
export function withEvents(): void {
  learnEvents((names, envelope, text) => lazyEvent(names, { ...envelope, json: () => envelope.members, text: () => text }));
}
