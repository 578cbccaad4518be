/** Calling the module: what it holds, and what fails. */

import type { Failure } from './types.js';
import { said } from './frame.js';
import { broken, instance, works, type Instance } from './instance.js';
import { toError } from '../errors.js';
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
      call();
    } catch (error) {
      const thrown = broken(one, error);
      if (works(one)) {
        throw thrown;
      }
    }
  }
}

/** What a quick call gave, or throws what it failed with. */
export function taken(one: Instance, number: number, behind?: Function): number {
  if (number === FAILED) {
    throw toError(lastFailure(one), behind);
  }
  return number;
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
  const text = utf8Text(bytes);
  const [failure = '', code = ''] = text.split('\n', 2);
  const rest = failure.length + code.length + 2;
  return readers.get(failure)?.(code, bytes.subarray(rest)) ?? ({ failure, code, message: text.slice(rest) || code } as Failure);
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

  /** Its number. */
  in(one: Instance): number {
    if (this.#of !== one) {
      this.#at = taken(one, this.#make(one));
      this.#of = one;
      unheld.register(this, [one, this.#at]);
    }
    return this.#at;
  }
}
