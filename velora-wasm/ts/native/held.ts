/** What the module holds for us, by a number. */

import { broken, instance, works, type Instance } from './instance.js';
import { enter, taken } from './calls.js';

/** Calls where nobody is there to be told: whoever waits for an instance that fails is. */
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

/** What is let go of may have had something under way that takes time. */
let goOn = (_: Instance) => {};

/** Says how the module goes on with what takes time. */
export function learnTurn(turn: (one: Instance) => void): void {
  goOn = turn;
}

function letGo(one: Instance, at: number): void {
  quietly(one, () => {
    one.exports['let_go']!(at);
    goOn(one);
  });
}

/** Older hosts do not say who is gone: what is let go of is not freed there. */
const unheld = globalThis.FinalizationRegistry && new FinalizationRegistry<[one: Instance, at: number]>(([one, at]) => letGo(one, at));

/** What an instance holds for us, by a number, until nobody holds this. */
export class Held {
  readonly at: number;
  readonly #of: Instance;

  constructor(one: Instance, at: number) {
    this.at = at;
    this.#of = one;
    unheld?.register(this, [one, at], this);
  }

  /** Lets go of it at once. */
  letGo(): void {
    unheld?.unregister(this);
    letGo(this.#of, this.at);
  }
}

/** Something of the module's that a new instance can be given anew. */
export class Made {
  readonly #make: (one: Instance) => number;
  #of: Instance | undefined;
  #at = 0;

  /** Throws what it cannot be made for. */
  constructor(make: (one: Instance) => number) {
    this.#make = make;
    enter((one) => this.in(one));
  }

  /** The instance that it is in, or is to be made in. */
  get home(): Instance {
    return this.#of !== undefined && works(this.#of) ? this.#of : instance();
  }

  /** Its number. */
  in(one: Instance): number {
    if (this.#of !== one) {
      this.#at = taken(one, this.#make(one));
      this.#of = one;
      // Nothing is to keep one that has failed.
      unheld?.unregister(this);
      unheld?.register(this, [one, this.#at], this);
    }
    return this.#at;
  }
}
