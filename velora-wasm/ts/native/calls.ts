/** Calling the module, and what fails. */

import type { Failure } from './types.js';
import { said } from './frame.js';
import { broken, instance, type Instance } from './instance.js';
import { toError } from '../errors.js';
import { utf8Text } from '../host.js';

/** What a quick call gives that failed, or refused a delivery. */
export const FAILED = Infinity;
const REFUSED = -Infinity;

/** Calls; what fails by itself ends the instance. */
export function enter<T>(call: (one: Instance) => T, one = instance()): T {
  try {
    return call(one);
  } catch (error) {
    throw broken(one, error);
  }
}

/** What a quick call gave, or throws what it failed with. */
export function taken(one: Instance, number: number, behind?: Function): number {
  if (number === FAILED || number === REFUSED) {
    throw toError(failureOf(said(one), number === REFUSED), behind);
  }
  return number;
}

/** The verifier alone says codes. */
let failureOf = (said: Uint8Array, refused: boolean): Failure => {
  const code = utf8Text(said);
  return { failure: refused ? 'verification' : 'config', code, message: code } as Failure;
};

/** From here on the module says more. */
export function learnFailures(of: typeof failureOf): void {
  failureOf = of;
}
