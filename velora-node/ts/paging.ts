/** Things that come one after the other. */

import type * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { call } from './calls.js';

/** What the addon has for each of these. */
export interface NativeStream<T> {
  next(cancel?: native.NativeCancel): Promise<T | null | undefined | Failure>;
  close(): Promise<void>;
}

/**
 * Runs through a stream of the addon. Leaving the loop closes it. `open` is called when
 * the first thing is asked for.
 */
export async function* walk<T, R>(
  open: () => NativeStream<T>,
  read: (value: T) => R,
  signal: AbortSignal | undefined,
): AsyncGenerator<R, void, undefined> {
  const stream = open();
  try {
    for (;;) {
      const value = await call(signal, (cancel) => stream.next(cancel));
      if (value === null || value === undefined) {
        return;
      }
      yield read(value as T);
    }
  } finally {
    await stream.close();
  }
}

/** Items one by one, and the pages beneath. */
export class Items<T, P extends Iterable<T> = readonly T[]> implements AsyncIterable<T> {
  readonly #walk: () => AsyncGenerator<P, void, undefined>;

  /** @internal */
  constructor(walk: () => AsyncGenerator<P, void, undefined>) {
    this.#walk = walk;
  }

  /** The pages, each fetched while the one before is worked on. */
  pages(): AsyncGenerator<P, void, undefined> {
    return this.#walk();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.#walk()) {
      yield* page;
    }
  }

  /** All of them, in memory. */
  async toArray(): Promise<T[]> {
    const items: T[] = [];
    for await (const page of this.#walk()) {
      for (const item of page) {
        items.push(item);
      }
    }
    return items;
  }
}
