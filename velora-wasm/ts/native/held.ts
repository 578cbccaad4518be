/** Objects that the module holds for us, by number. */

import { broken, instance, works, type Instance } from './instance.js';
import { enter, taken } from './calls.js';

/** Calls without throwing if the instance fails: those that wait for it are told anyway. */
export function quietly(one: Instance, call: () => void): void {
  if (works(one)) {
    try {
      call();
    } catch (error) {
      const thrown = broken(one, error);
      if (works(one)) {
        throw thrown;
      }
    }
  }
}

/** A released object may have had asynchronous work in progress. */
let goOn = (_: Instance) => {};

/** Sets how the module continues asynchronous work. */
export function learnTurn(turn: (one: Instance) => void): void {
  goOn = turn;
}

function letGo(one: Instance, at: number): void {
  quietly(one, () => {
    one.exports['let_go']!(at);
    goOn(one);
  });
}

/** Older hosts have no `FinalizationRegistry`: there, unreachable objects are not freed. */
const unheld = globalThis.FinalizationRegistry && new FinalizationRegistry<[one: Instance, at: number]>(([one, at]) => letGo(one, at));

/** An object that an instance holds for us, by number, until this is collected. */
export class Held {
  readonly at: number;
  readonly #of: Instance;

  constructor(one: Instance, at: number) {
    this.at = at;
    this.#of = one;
    unheld?.register(this, [one, at], this);
  }

  /** Releases it at once. */
  letGo(): void {
    unheld?.unregister(this);
    letGo(this.#of, this.at);
  }
}

/** An object of the module that can be created again in a new instance. */
export class Made {
  readonly #make: (one: Instance) => number;
  #of: Instance | undefined;
  #at = 0;

  /** Throws if it cannot be created. */
  constructor(make: (one: Instance) => number) {
    this.#make = make;
    enter((one) => this.in(one));
  }

  /** The instance that it is in, or will be created in. */
  get home(): Instance {
    return this.#of !== undefined && works(this.#of) ? this.#of : instance();
  }

  /** Its number in this instance, where it is created if necessary. */
  in(one: Instance): number {
    if (this.#of !== one) {
      this.#at = taken(one, this.#make(one));
      this.#of = one;
      // Nothing may keep a failed instance alive.
      unheld?.unregister(this);
      unheld?.register(this, [one, this.#at], this);
    }
    return this.#at;
  }
}
