/** Calling the module: what it holds, what fails, what takes time. */

import type { Failure } from './types.js';
import { itemsOf, putAlone, said, wholeOf } from './frame.js';
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
function quietly(one: Instance, call: () => void): void {
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

function failureOf(bytes: Uint8Array): Failure {
  const text = utf8Text(bytes);
  const [failure = '', code = ''] = text.split('\n', 2);
  const rest = failure.length + code.length + 2;
  return readers.get(failure)?.(code, bytes.subarray(rest)) ?? ({ failure, code, message: text.slice(rest) || code } as Failure);
}

/** Goes on with what takes time, once anything does: what is let go of may have had it under way. */
let goOn = (_: Instance) => {};

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

/** Ends the one call that it is given to. */
export class NativeCancel {
  #end: (() => void) | undefined;
  #asked = false;

  /** @internal */
  set end(end: () => void) {
    this.#end = end;
    if (this.#asked) {
      end();
    }
  }

  cancel(): void {
    this.#asked = true;
    this.#end?.();
  }
}

/** The result of a call that takes time; `start` gives its task. */
export function later<T>(start: (one: Instance) => number, read: (bytes: Uint8Array) => T, cancel?: NativeCancel): Promise<T | Failure> {
  goOn = turn;
  return new Promise((resolve, reject) => {
    enter((one) => {
      const task = start(one);
      one.tasks.set(task, {
        done: (bytes) => resolve(read(bytes)),
        failed: (bytes) => resolve(failureOf(bytes)),
        broken: reject,
      });
      if (cancel !== undefined) {
        cancel.end = () => {
          resolve({ failure: 'aborted', code: '', message: '' } as Failure);
          endTask(one, task);
        };
      }
      turn(one);
    });
  });
}

/** Ends a task at once; whoever waits for it is not told. */
function endTask(one: Instance, task: number): void {
  if (one.tasks.delete(task)) {
    quietly(one, () => {
      one.exports['end_task']!(task);
      turn(one);
    });
  }
}

/** What the module asks for, by its tag: see `task.rs`. */
export type Chore = (one: Instance, number: number, bytes: Uint8Array) => void;

const chores: Chore[] = [
  (one, task, bytes) => end(one, task)?.done(bytes),
  (one, task, bytes) => end(one, task)?.failed(bytes),
  (one, number) => {
    const callOff = one.chores.get(number);
    one.chores.delete(number);
    callOff?.();
  },
];

function end(one: Instance, task: number) {
  const waiting = one.tasks.get(task);
  one.tasks.delete(task);
  return waiting;
}

/** Says how something that the module asks for is done. */
export function learn(tag: number, chore: Chore): void {
  chores[tag] = chore;
}

/** Goes on with all that can, and does what is asked for. */
function turn(one: Instance): void {
  one.exports['turn']!(Date.now(), performance.now());
  // Whatever is done may call the module again.
  for (const [tag, bytes] of itemsOf(said(one).slice())) {
    chores[tag]!(one, wholeOf(bytes), bytes.subarray(4));
  }
}

/** What became of something that the module has asked for. */
export function answer(one: Instance, number: number, outcome: number, bytes: string | Uint8Array = ''): void {
  quietly(one, () => {
    one.exports['answer']!(number, outcome, putAlone(one, bytes));
    turn(one);
  });
}
