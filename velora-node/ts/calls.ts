/** Calls that take time: their results, their errors, and ending them early. */

import * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { guard, internal, toError } from './errors.js';
import { checkOptions, functionOption, invalidOption } from './options.js';

/** How one call is made. */
export interface CallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The signal among the options of a call. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  return checkedSignal(checkOptions(options, ['signal']).signal);
}

/** A signal, if it is one. */
export function checkedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
    throw invalidOption('signal is not an AbortSignal');
  }
  return signal ?? undefined;
}

/**
 * A callback of the caller's: what it throws, or rejects with, ends the call by the
 * signal, and `check` throws it where the call had ended before.
 */
export function telling<P, T>(
  given: AbortSignal | undefined,
  onProgress: ((progress: T) => unknown) | undefined,
  read: (parts: P) => T,
): { signal: AbortSignal | undefined; tell?: (parts: P) => void; check: () => void } {
  const signal = checkedSignal(given);
  const callback = functionOption('onProgress', onProgress);
  if (callback === undefined) {
    return { signal, check: () => {} };
  }
  const thrown = new AbortController();
  const tell = (parts: P) => {
    if (thrown.signal.aborted) {
      return;
    }
    try {
      Promise.resolve(callback(read(parts))).catch((error) => thrown.abort(error));
    } catch (error) {
      thrown.abort(error);
    }
  };
  const both = signal === undefined ? thrown.signal : AbortSignal.any([signal, thrown.signal]);
  return { signal: both, tell, check: () => thrown.signal.throwIfAborted() };
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
  const heed = heedOf(signal);
  heed.calls.add(cancel);
  try {
    return settle(await guard(() => start(cancel)).catch(rethrow), signal);
  } finally {
    heed.calls.delete(cancel);
    if (heed.calls.size === 0) {
      signal.removeEventListener('abort', heed.abort);
    }
  }
}

/** The calls that a signal ends: of more than ten listeners on one, Node warns. */
interface Heed {
  readonly calls: Set<native.NativeCancel>;
  readonly abort: () => void;
}
const heeds = new WeakMap<AbortSignal, Heed>();

function heedOf(signal: AbortSignal): Heed {
  let heed = heeds.get(signal);
  if (heed === undefined) {
    const calls = new Set<native.NativeCancel>();
    heed = { calls, abort: () => calls.forEach((call) => call.cancel()) };
    heeds.set(signal, heed);
  }
  if (heed.calls.size === 0) {
    signal.addEventListener('abort', heed.abort, { once: true });
  }
  return heed;
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
