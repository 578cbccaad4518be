/** Times on their way in. */

import { invalidOption, numberOption } from './options.js';

/** Unix seconds or a `Date`, in milliseconds; cut off there, as the core does. */
export function nowMillis(now: number | Date | undefined): number | undefined {
  if (now === undefined) {
    return undefined;
  }
  const given = now instanceof Date ? now.getTime() : (numberOption('now', now) ?? NaN);
  if (!Number.isFinite(given)) {
    throw invalidOption('now is not a finite time');
  }
  // Through microseconds, which a double of today's seconds still holds. What is beyond all
  // numbers then is the last instant to the core, or the first.
  return now instanceof Date ? given : Math.floor(Math.round(given * 1e6) / 1e3);
}
