/**
 * The running module. An instance that has failed by itself, such as by running out of
 * memory, is not used again: the call ends with an error, and the next one gets a new
 * instance. Loading a larger entry also leads to a new instance, but then both work.
 *
 * Most objects are created again in whichever instance is called: see `Made`. Only the claims
 * of a store in memory cannot be. Their instance is used as long as it works; if it fails, they
 * are lost as after a restart. The store continues counting epochs, so an earlier lease is
 * `lease_lost`. Work in progress refers to no instance, and ends in its store.
 */

import { internal, VeloraError } from '../errors.js';

/** The module's exports, which take and return numbers. */
export type Exports = Record<string, (...numbers: number[]) => number> & { memory: { readonly buffer: ArrayBuffer } };

/** An instance until it fails. */
export interface Instance {
  failed?: true;
  /** Removed when it fails, so that references to the instance do not keep its memory. */
  exports: Exports;
  /** The callers of asynchronous calls, by task. */
  readonly tasks: Map<number, Waiting>;
  /** How to cancel what the host does for it, by the number of the request. */
  readonly chores: Map<number, () => void>;
}

/** The caller that waits for a task. */
export interface Waiting {
  done(bytes: Uint8Array): void;
  failed(bytes: Uint8Array): void;
  broken(error: VeloraError): void;
}

let most = -1;
let compiled: (() => WebAssembly.Module) | undefined;
let current: Instance | undefined;

/** @internal Sets the module when an entry is loaded. Of several, the largest is used. */
export function use(size: number, module: () => WebAssembly.Module): void {
  if (most < size) {
    most = size;
    compiled = module;
    current = undefined;
  }
}

/** The instance to call. */
export function instance(): Instance {
  if (current === undefined || current.failed) {
    try {
      // Every entry sets one first.
      const { exports } = new WebAssembly.Instance(compiled!());
      current = { exports: exports as unknown as Exports, tasks: new Map(), chores: new Map() };
    } catch (error) {
      throw internal(error);
    }
  }
  return current;
}

/** Whether it may still be called. */
export function works(one: Instance): boolean {
  return !one.failed;
}

/** The error of a call that threw. If the module itself failed, the instance ends. */
export function broken(one: Instance, thrown: unknown): unknown {
  // A full stack is not the module's own error, but stops it halfway. If the instance failed
  // before, its callers have been told already.
  const fault = thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError;
  if (!fault || !works(one)) {
    return thrown;
  }
  const error = new VeloraError('internal', 'the module failed and was restarted', { cause: thrown });
  one.failed = true;
  one.exports = undefined as never;
  one.tasks.forEach((waiting) => waiting.broken(error));
  one.chores.forEach(quit);
  one.tasks.clear();
  one.chores.clear();
  return error;
}

/** Cancels something. In a worker it may belong to another request, and must not be touched. */
export function quit(callOff: (() => void) | undefined): void {
  try {
    callOff?.();
  } catch {
    // It ends with its own request.
  }
}
