/**
 * The module while it runs. One that has failed by itself, such as for want of memory, is
 * not used again: the call ends with an error, and the next one finds a new instance.
 */

import { VeloraError } from '../errors.js';

/** The JavaScript that wasm-bindgen writes, for one instance. */
export type Glue = Record<string, any>;

/** What starts an instance. */
export interface Module {
  /** How much it has: 0 is the verifier alone. */
  readonly size: number;
  start(): Glue;
}

/** An instance until it fails. */
export interface Instance {
  readonly glue: Glue;
  /** Calls that take time, to be told of its failure. */
  readonly waiting: Set<(error: VeloraError) => void>;
}

let used: Module | undefined;
let current: Instance | undefined;

/** Names the module, when the package is loaded. Of several that with the most is used. */
export function use(module: Module): void {
  if (used === undefined || used.size < module.size) {
    used = module;
    current = undefined;
  }
}

/** The instance to call. */
export function instance(): Instance {
  if (current === undefined) {
    if (used === undefined) {
      throw new VeloraError('internal', 'the module is not loaded');
    }
    current = { glue: used.start(), waiting: new Set() };
  }
  return current;
}

/** The instance has failed: gives the error of whoever called. */
export function failed(one: Instance, cause: unknown): VeloraError {
  const error = new VeloraError('internal', 'the module failed and was started anew', { cause });
  if (current === one) {
    current = undefined;
  }
  one.glue['abandon']();
  for (const tell of one.waiting) {
    tell(error);
  }
  one.waiting.clear();
  return error;
}
