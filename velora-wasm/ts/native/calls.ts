/** Calls the module, and throws its failures. */

import type { Failure } from './types.js';
import { said } from './frame.js';
import { broken, instance, type Instance } from './instance.js';
import { toError } from '../errors.js';
import { utf8Text } from '../host.js';

/** What a synchronous call returns if it failed, or refused a delivery. */
export const FAILED = Infinity;
const REFUSED = -Infinity;

/** Calls; if the module itself fails, the instance ends. */
export function enter<T>(call: (one: Instance) => T, one = instance()): T {
  try {
    return call(one);
  } catch (error) {
    throw broken(one, error);
  }
}

/** The result of a synchronous call; throws its failure. */
export function taken(one: Instance, number: number, behind?: Function): number {
  if (number === FAILED || number === REFUSED) {
    throw toError(failureOf(said(one), number === REFUSED), behind);
  }
  return number;
}

/** The verifier alone returns only codes. */
let failureOf = (said: Uint8Array, refused: boolean): Failure => {
  const code = utf8Text(said);
  return { failure: refused ? 'verification' : 'config', code, message: code } as Failure;
};

/** Sets how failures are read, once the module returns more than codes. */
export function learnFailures(of: typeof failureOf): void {
  failureOf = of;
}
