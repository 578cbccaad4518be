/** Times on their way in. */

import { invalidOption, numberOption } from './options.js';

/** Unix seconds or a `Date`, in milliseconds; cut off there, as the core does. */
export function nowMillis(now: number | Date | undefined): number | undefined {
  if (now === undefined) {
    return undefined;
  }
  // Through microseconds, which a double of today's seconds still holds.
  const millis = now instanceof Date ? now.getTime() : Math.floor(Math.round((numberOption('now', now) ?? NaN) * 1e6) / 1e3);
  if (!Number.isFinite(millis)) {
    throw invalidOption('now is not a finite time');
  }
  return millis;
}
