/** Calling the module: what it holds, and what fails. */

import type { Failure } from './types.js';
import { said } from './frame.js';
import { broken, instance, works, type Instance } from './instance.js';
import { utf8Text } from '../host.js';

/** What a quick call gives that failed. */
export const FAILED = Infinity;

/** Calls; what fails by itself ends the instance. */
export function enter<T>(call: (one: Instance) => T): T {
  const one = instance();
  try {
    return call(one);
  } catch (error) {
    throw broken(one, error);
  }
}

/** Calls where nobody is there to be told: whoever waits for an instance that fails is. */
export function quietly(one: Instance, call: () => void): void {
  if (works(one)) {
    try {
      enter(call);
    } catch (error) {
      if (works(one)) {
        throw error;
      }
    }
  }
}

/** What the last quick call failed with. */
export function lastFailure(one: Instance): Failure {
  return failureOf(said(one));
}

const readers = new Map<string, (code: string, bytes: Uint8Array) => Failure>();

/** Says how a kind of failures is read that is more than a message. */
export function learnFailure(kind: string, read: (code: string, bytes: Uint8Array) => Failure): void {
  readers.set(kind, read);
}

export function failureOf(bytes: Uint8Array): Failure {
  const [failure = '', code = ''] = utf8Text(bytes.subarray(0, 128)).split('\n', 2);
  const rest = bytes.subarray(failure.length + code.length + 2);
  return readers.get(failure)?.(code, rest) ?? ({ failure, code, message: utf8Text(rest) } as Failure);
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

const unheld = new FinalizationRegistry<[one: Instance, at: number]>(([one, at]) => letGo(one, at));

/** What an instance holds for us, by a number, until nobody holds this. */
export class Held {
  readonly at: number;
  readonly #of: Instance;

  constructor(one: Instance, at: number) {
    this.at = at;
    this.#of = one;
    unheld.register(this, [one, at], this);
  }

  /** Lets go of it at once. */
  letGo(): void {
    unheld.unregister(this);
    letGo(this.#of, this.at);
  }

  /** Whether it is of this instance. */
  of(one: Instance): boolean {
    return this.#of === one;
  }
}

/** Something of the module's that a new instance can be given anew. */
export class Made {
  readonly #make: (one: Instance) => number;
  #held: Held | undefined;

  private constructor(make: (one: Instance) => number) {
    this.#make = make;
  }

  /** Makes it, or says why it cannot be made. */
  static of<T>(make: (one: Instance) => number, wrap: (made: Made) => T): T | Failure {
    return enter((one) => {
      const made = new Made(make);
      const at = make(one);
      if (at === FAILED) {
        return lastFailure(one);
      }
      made.#held = new Held(one, at);
      return wrap(made);
    });
  }

  /** Its number. */
  in(one: Instance): number {
    if (!this.#held?.of(one)) {
      this.#held = new Held(one, this.#make(one));
    }
    return this.#held!.at;
  }
}
