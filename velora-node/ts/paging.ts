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
 * Items that came together, in the system's order. A page of Velora Billing or CuraeAI is an
 * array besides; one of Velora Health is a `health.Page`.
 */
export interface Page<T> extends Iterable<T> {
  /** How many there are. */
  readonly length: number;
  /**
   * Where the next page starts; null on the last, and on one that an error comes after, because it
   * announces more and leads nowhere: to tell them apart, ask for one page more.
   */
  readonly nextCursor: string | null;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * One thing after the other, for `for await`. Once one failed, each further `next()`
 * throws the same error: a part is never taken for the whole. Leaving the loop ends what
 * is under way.
 */
export abstract class Steps<R> implements AsyncIterableIterator<R>, AsyncDisposable {
  #turn: Promise<unknown> | undefined;
  #ended = false;
  #failed: { error: unknown } | undefined;
  /** @internal */
  readonly signal: AbortSignal | undefined;

  /** @internal */
  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
  }

  /** @internal */
  protected abstract step(): Promise<IteratorResult<R, undefined>>;
  /** @internal What is there without waiting. */
  protected ready(): IteratorResult<R, undefined> | undefined {
    return undefined;
  }
  /** @internal Ends what is under way, at once. */
  protected abstract stop(): Promise<void>;

  /** The next one. Calls that are made before the last one is answered wait for it. */
  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#turn === undefined && !this.#ended && this.signal?.aborted !== true) {
      const ready = this.ready();
      if (ready !== undefined) {
        return Promise.resolve(ready);
      }
    }
    const before = this.#turn;
    const step = before === undefined ? this.#step() : before.then(() => this.#step());
    const over = () => this.#over(turn);
    const turn: Promise<void> = step.then(over, over);
    this.#turn = turn;
    return step;
  }

  /** Ends it early. A request in progress yields nothing more. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#ended = true;
    await this.stop();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #step(): Promise<IteratorResult<R, undefined>> {
    if (this.#failed !== undefined) {
      throw this.#failed.error;
    }
    if (this.#ended) {
      return DONE;
    }
    try {
      this.signal?.throwIfAborted();
      const step = this.ready() ?? (await this.step());
      if (step.done === true) {
        this.#ended = true;
        await this.stop();
      }
      return step;
    } catch (error) {
      this.#failed = { error };
      await this.stop();
      throw error;
    }
  }

  #over(turn: Promise<unknown>): void {
    if (this.#turn === turn) {
      this.#turn = undefined;
    }
  }
}

/** A stream of the addon. `open` is called when the first thing is asked for. */
class Walk<T, R> extends Steps<R> {
  readonly #open: () => NativeStream<T>;
  readonly #read: (value: T) => R;
  readonly #explain: (error: unknown) => unknown;
  readonly #ahead: boolean;
  #stream: NativeStream<T> | undefined;
  #asked: Promise<T | null | undefined> | undefined;

  constructor(
    open: () => NativeStream<T>,
    read: (value: T) => R,
    signal: AbortSignal | undefined,
    explain: (error: unknown) => unknown,
    ahead: boolean,
  ) {
    super(signal);
    this.#open = open;
    this.#read = read;
    this.#explain = explain;
    this.#ahead = ahead;
  }

  protected async step(): Promise<IteratorResult<R, undefined>> {
    const stream = (this.#stream ??= this.#open());
    const value = await (this.#asked ?? this.#ask(stream)).catch((error) => {
      throw this.#explain(error);
    });
    if (value === null || value === undefined) {
      return DONE;
    }
    if (this.#ahead) {
      this.#asked = this.#ask(stream);
      // Whoever asks for it hears of its failure.
      this.#asked.catch(() => {});
    }
    return { done: false, value: this.#read(value) };
  }

  #ask(stream: NativeStream<T>): Promise<T | null | undefined> {
    return call<T | null | undefined>(this.signal, (cancel) => stream.next(cancel));
  }

  protected async stop(): Promise<void> {
    await this.#stream?.close();
  }
}

/** The items of pages. */
class Flat<T, P extends Page<T>> extends Steps<T> {
  readonly #pages: Steps<P>;
  #page: Iterator<T> | undefined;

  constructor(pages: Steps<P>) {
    super(pages.signal);
    this.#pages = pages;
  }

  protected override ready(): IteratorResult<T, undefined> | undefined {
    const item = this.#page?.next();
    return item === undefined || item.done === true ? undefined : item;
  }

  protected async step(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      const page = await this.#pages.next();
      if (page.done === true) {
        return DONE;
      }
      this.#page = page.value[Symbol.iterator]();
      const item = this.ready();
      if (item !== undefined) {
        return item;
      }
    }
  }

  protected async stop(): Promise<void> {
    this.#page = undefined;
    await this.#pages.return();
  }
}

/**
 * Runs through a stream of the addon. `explain` may add to what is thrown; with `ahead` each
 * thing is fetched while the one before is worked on.
 */
export function walk<T, R>(
  open: () => NativeStream<T>,
  read: (value: T) => R,
  signal: AbortSignal | undefined,
  explain: (error: unknown) => unknown = (error) => error,
  ahead = false,
): Steps<R> {
  return new Walk(open, read, signal, explain, ahead);
}

/** Converts the addon's page. */
export function pageOf<N, T>(page: { items: N[]; nextCursor?: string | null }, read: (item: N) => T): readonly T[] & Page<T> {
  return Object.assign(page.items.map(read), { nextCursor: page.nextCursor ?? null });
}

/**
 * Items one by one, or page by page. Nothing is sent until the first one is requested.
 *
 * Each loop, each `pages()` and each `toArray()` starts from the beginning and calls the system
 * again. To continue where you left off, keep the iterator of `pages()` or
 * `[Symbol.asyncIterator]()` and call its `next()`; leaving a loop over it ends it.
 */
export class Items<T, P extends Page<T> = readonly T[] & Page<T>> implements AsyncIterable<T> {
  readonly #walk: () => Steps<P>;

  protected constructor(walk: () => Steps<P>) {
    this.#walk = walk;
  }

  /** @internal */
  static of<T, P extends Page<T>>(walk: () => Steps<P>): Items<T, P> {
    return new Items(walk);
  }

  /** The pages, from the first one on. The next page is fetched while this one is processed. */
  pages(): Steps<P> {
    return this.#walk();
  }

  [Symbol.asyncIterator](): Steps<T> {
    return new Flat<T, P>(this.#walk());
  }

  /** All items, in memory. */
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
