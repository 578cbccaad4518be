/** Calls that take time: their results, their errors, and ending them early. */

import * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { guard, internal, toError } from './errors.js';
import { checkOptions } from './options.js';

/** How one call is made. */
export interface CallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  signal?: AbortSignal;
}

/** The signal among the options of a call. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  return checkOptions(options, ['signal']).signal;
}

/** Makes a call: gives its result, or throws what failed where the caller awaits it. */
export async function call<T>(
  signal: AbortSignal | undefined,
  start: (cancel?: native.NativeCancel) => Promise<T | Failure>,
): Promise<T> {
  signal?.throwIfAborted();
  if (signal === undefined) {
    return settle(await guard(() => start()).catch(rethrow), signal);
  }
  const cancel = new native.NativeCancel();
  const abort = () => cancel.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return settle(await guard(() => start(cancel)).catch(rethrow), signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function settle<T>(answer: T | Failure, signal: AbortSignal | undefined): T {
  if (typeof answer !== 'object' || answer === null || !('failure' in answer)) {
    return answer as T;
  }
  const failure = answer as Failure;
  if (failure.failure === 'aborted') {
    signal?.throwIfAborted();
  }
  throw toError(failure);
}

function rethrow(error: unknown): never {
  throw internal(error);
}
