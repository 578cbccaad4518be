/// <reference lib="esnext.disposable" preserve="true" />
/** Stores keep claims, so that each event is handled once. */

import { inspect } from './host.js';
import * as native from '../native/index.js';
import { call } from './calls.js';
import { guard, learnKind, StoreError, unwrap } from './errors.js';
import { callable, checkOptions, invalidOption, numberOption, text } from './options.js';

learnKind('store', StoreError);

/** The answer to a claim. */
export type Claim =
  /** The event is yours: handle it, then commit or release. */
  | { state: 'fresh'; lease: Lease }
  /** Someone else is handling it; `retryAfter` is seconds until that lease expires, at most. Never answer 2xx. */
  | { state: 'in_flight'; retryAfter: number }
  /** It was handled before: answer 2xx. */
  | { state: 'done' };

/** What a store of your own answers a claim with. `epoch` is greater for each later claim of a key. */
export type CustomClaim =
  | { state: 'fresh'; epoch: number }
  | { state: 'in_flight'; retryAfter: number }
  | { state: 'done' };

/**
 * A store of your own. `commit`, `release` and `renew` act only while the key is claimed
 * under exactly this epoch, in one step (compare and set); otherwise they throw
 * `new StoreError('lease_lost', …)`. Where there is no room they throw `new StoreError('store_full', …)`.
 * They return nothing: what they do return, such as `false` or a count of changes, is not taken for
 * success. That, and anything else that is thrown, is written to `console.error`, and becomes
 * `store_unavailable`. Give each call a limit on its time, because a delivery waits for it.
 */
export interface CustomStore {
  /** Claims a key that is free, or whose lease has expired. Of concurrent calls, exactly one gets `fresh`. */
  claim(key: string): Promise<CustomClaim>;
  /** The work is done: remember the key as done for as long as the system may retry (24 h at least). */
  commit(key: string, epoch: number): Promise<void>;
  /** The work is not done: the next claim is fresh. */
  release(key: string, epoch: number): Promise<void>;
  /** Restarts the lease at its full length. */
  renew(key: string, epoch: number): Promise<void>;
}

const VERBS = ['claim', 'commit', 'release', 'renew'] as const;

/**
 * The right to handle one event, until it is committed, released or taken over. Each of its methods
 * throws `store_full` if the disk or memory of a durable store is full.
 */
export class Lease implements AsyncDisposable {
  /** The key that was claimed. */
  readonly key: string;
  /** The number of the claim. */
  readonly epoch: number;
  readonly #store: native.NativeStore;
  #ended = false;

  private constructor(store: native.NativeStore, key: string, epoch: number) {
    this.#store = store;
    this.key = key;
    this.epoch = epoch;
  }

  /** @internal */
  static made(store: native.NativeStore, key: string, epoch: number): Lease {
    return new Lease(store, key, epoch);
  }

  /** The work is done. Throws `lease_lost`, `store_full`, `store_unavailable`; do not answer 2xx then. */
  async commit(): Promise<void> {
    this.#ended = true;
    await call(undefined, () => this.#store.commit(this.key, this.epoch));
  }

  /** The work is not done: the next claim is fresh. Throws `lease_lost`, `store_full`, `store_unavailable`. */
  async release(): Promise<void> {
    this.#ended = true;
    await call(undefined, () => this.#store.release(this.key, this.epoch));
  }

  /** Gives long work more time: restarts the lease. Throws `lease_lost`, `store_full`, `store_unavailable`. */
  async renew(): Promise<void> {
    await call(undefined, () => this.#store.renew(this.key, this.epoch));
  }

  /** For `await using`: releases a lease that was neither committed nor released. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      await this.release();
    }
  }
}

/** Marks our own classes, and not those that extend them. */
export const OURS = Symbol('store');

/** Keeps claims. */
export abstract class Store implements Disposable {
  readonly #native: native.NativeStore;

  protected constructor(made: native.NativeStore) {
    if (!Object.hasOwn(new.target, OURS)) {
      throw invalidOption('make a store of your own with Store.of({ claim, commit, release, renew }), not as a subclass');
    }
    this.#native = made;
  }

  /**
   * Connects and creates missing tables, so that a store that cannot be used is found when the
   * service starts. Throws `store_unavailable`, `store_full`.
   */
  async ready(): Promise<void> {
    await call(undefined, () => this.#native.ready());
  }

  /**
   * Closes idle connections soon, without waiting for it. A later call opens new ones; claims kept
   * in memory stay.
   */
  close(): void {
    guard(() => this.#native.close());
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Claims a key. Throws `store_full`, `store_unavailable`. */
  async claim(key: string): Promise<Claim> {
    const wanted = text('key', key);
    const claimed = await call(undefined, () => this.#native.claim(wanted));
    switch (claimed.state) {
      case 'fresh':
        return { state: 'fresh', lease: Lease.made(this.#native, wanted, claimed.epoch as number) };
      case 'in_flight':
        return { state: 'in_flight', retryAfter: claimed.retryAfter as number };
      default:
        return { state: 'done' };
    }
  }

  /** @internal The addon's store. */
  static native(store: Store): native.NativeStore {
    return store.#native;
  }

  /** Wraps a store of your own. */
  static of(custom: CustomStore): Store {
    VERBS.forEach((verb) => callable(verb, custom?.[verb]));
    return new HostStore(native.NativeStore.of((verb, key, epoch) => carryOut(custom, verb, key, epoch)));
  }
}

class HostStore extends Store {
  static readonly [OURS] = true;
}

/** The durations of every store, in seconds. */
export interface Times {
  /**
   * How long an event may be handled before its claim is taken over. 60 by default. Far less than
   * the system retries for (about 36 min for Billing, 2.6 h for Velora TV): after a crash the event
   * is in flight for the rest of the lease, and lost if the last retry comes within it.
   */
  lease?: number | undefined;
  /** How long a done key is remembered. At least 86,400 (24 h); 259,200 (72 h) by default. */
  retention?: number | undefined;
  /** Any retention, even under 24 h. If a system retries for longer, its event is handled a second time. */
  dangerousShortRetention?: number | undefined;
}

/** Their names. */
export const TIMES = ['lease', 'retention', 'dangerousShortRetention'] as const;

/** As the addon takes them. */
export function times({ lease, retention, dangerousShortRetention }: Times): object {
  return {
    lease: numberOption('lease', lease),
    retention: numberOption('retention', retention),
    dangerousShortRetention: numberOption('dangerousShortRetention', dangerousShortRetention),
  };
}

/** The options of a `MemoryStore`; durations are in seconds. */
export interface MemoryStoreOptions extends Times {
  /** How many keys the store holds, claimed and done together. 5,000 by default. */
  capacity?: number | undefined;
}

/** Claims in the memory of one process: other processes do not see them, and a restart loses them. */
export class MemoryStore extends Store {
  /** @internal */
  static readonly [OURS] = true;

  /** Throws `invalid_lease`, `invalid_retention`, `invalid_capacity`; `invalid_option` if an option is not a number. */
  constructor(options?: MemoryStoreOptions) {
    const given = checkOptions(options, [...TIMES, 'capacity']);
    const parts = { ...times(given), capacity: numberOption('capacity', given.capacity) } as native.StoreParts;
    super(unwrap(guard(() => native.NativeStore.memory(parts))));
  }

  /** How many keys are held, claimed and done together. */
  get size(): number {
    return Store.native(this).size;
  }

  /** How many done keys were forgotten for lack of room before their retention expired. If not 0, raise the capacity. */
  get droppedEarly(): number {
    return Store.native(this).droppedEarly;
  }

  [inspect.custom](): string {
    return `MemoryStore(${this.size} keys)`;
  }
}

async function carryOut(custom: CustomStore, verb: string, key: string, epoch: number): Promise<native.StoreAnswer> {
  try {
    switch (verb) {
      case 'claim':
        return claimed(await custom.claim(key));
      case 'commit':
      case 'release':
      case 'renew':
        mustBeNothing(verb, await custom[verb](key, epoch));
        return { state: 'ok' };
      default:
        throw invalidOption('unknown verb');
    }
  } catch (error) {
    return { state: 'error', code: codeOf(error) };
  }
}

/** The code of what a store threw, which may throw by itself when it is looked at or logged. */
function codeOf(thrown: unknown): string {
  try {
    if (thrown instanceof StoreError && (thrown.code === 'lease_lost' || thrown.code === 'store_full')) {
      return thrown.code;
    }
    console.error('velora: a store failed', thrown);
  } catch {
    // There is nobody else to tell.
  }
  return 'store_unavailable';
}

/** `false`, or a count of 0, may mean that the claim was not held. */
function mustBeNothing(verb: string, returned: unknown): void {
  if (returned !== undefined && returned !== null) {
    throw new TypeError(`\`${verb}\` of a store returns nothing, and throws a StoreError with \`lease_lost\` where the claim is not held`);
  }
}

/** Numbers that are none become NaN, which the addon refuses. */
function claimed(claim: CustomClaim): native.StoreAnswer {
  const { state, epoch, retryAfter } = { epoch: NaN, retryAfter: NaN, ...claim };
  const number = (value: unknown) => (typeof value === 'number' ? value : NaN);
  return { state, epoch: number(epoch), retryAfter: number(retryAfter) };
}
