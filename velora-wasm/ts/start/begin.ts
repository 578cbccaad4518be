/** Starting a module, without waiting for anything. */

import type { Glue, Module } from '../native/instance.js';

/** What the JavaScript beside a module is, once for each instance. */
export interface Beside {
  /** What the module imports. */
  readonly imports: Record<string, Function>;
  /** What it is called with. */
  readonly calls: Glue;
  set(exports: object): void;
}

/** A module, compiled when it is first called. */
export function moduleOf(size: number, compiled: () => WebAssembly.Module, beside: () => Beside): Module {
  return {
    size,
    start() {
      const { imports, calls, set } = beside();
      const { exports } = new WebAssembly.Instance(compiled(), { './velora_bg.js': imports as WebAssembly.ModuleImports });
      set(exports);
      (exports['__wbindgen_start'] as () => void)();
      // Of an instance that has failed nothing is called, not even to free what it held.
      const abandon = () => set(new Proxy({}, { get: () => () => 0 }));
      return { ...calls, memory: exports['memory'], abandon };
    },
  };
}
