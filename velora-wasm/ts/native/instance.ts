/**
 * The module while it runs. An instance that has failed by itself, such as for want of
 * memory, is not used again: the call ends with an error, and the next one finds a new
 * instance. So it does once an entry of a larger size is loaded, and then both work.
 *
 * What can be made anew is made in whichever instance is called: see `Made`. Only the claims
 * of a store in memory cannot. They are asked for where they are while that works, and gone
 * as after a restart when it has failed: the store goes on counting epochs, so that a lease
 * of before is `lease_lost`. Work under way holds on to no instance, and ends in its store.
 */

import { internal, VeloraError } from '../errors.js';

/** What the module exports, called with numbers and giving numbers. */
export type Exports = Record<string, (...numbers: number[]) => number> & { memory: WebAssembly.Memory };

/** An instance until it fails. */
export interface Instance {
  failed?: true;
  /** Only as long as it works: whatever still names it then holds no memory of it. */
  exports: Exports;
  /** Calls that take time, by their tasks, to be told how they end. */
  readonly tasks: Map<number, Waiting>;
  /** What is done for it, by the number it was asked for under: how to call it off. */
  readonly chores: Map<number, () => void>;
}

/** Who waits for a task. */
export interface Waiting {
  done(bytes: Uint8Array): void;
  failed(bytes: Uint8Array): void;
  broken(error: VeloraError): void;
}

let most = -1;
let compiled: (() => WebAssembly.Module) | undefined;
let current: Instance | undefined;

/** Names the module, when the package is loaded. Of several that of the largest size is used. */
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
      // Every entry names one first.
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

/** The error of a call that threw. What fails by itself ends the instance. */
export function broken(one: Instance, thrown: unknown): unknown {
  // A stack that is full, which is no error of the module's own, leaves it halfway. Of an
  // instance that has failed before, whoever called then was told.
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

/** Calls something off. In a worker it may be another request's, which is not to be touched. */
export function quit(callOff: (() => void) | undefined): void {
  try {
    callOff?.();
  } catch {
    // It ends with its request.
  }
}
