/** What takes time: the tasks of the module, and what it asks for meanwhile. */

import type { Failure } from './types.js';
import { itemsOf, putAlone, said, wholeOf } from './frame.js';
import { enter } from './calls.js';
import { failureOf } from './failures.js';
import { VeloraError } from '../errors.js';
import { learnTurn, quietly } from './held.js';
import { quit, type Instance } from './instance.js';

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
  learnTurn(turn);
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
  one.tasks.delete(task);
  quietly(one, () => {
    one.exports['end_task']!(task);
    turn(one);
  });
}

/** Ends a task that waits for what never comes. */
export function giveUp(one: Instance, task: number): void {
  const waiting = one.tasks.get(task);
  endTask(one, task);
  waiting?.broken(new VeloraError('internal', 'the host did not answer'));
}

/** What the module asks for, by its tag: see `task.rs`. */
export type Chore = (one: Instance, number: number, bytes: Uint8Array) => void;

const chores: Chore[] = [
  (one, task, bytes) => end(one, task)?.done(bytes),
  (one, task, bytes) => end(one, task)?.failed(bytes),
  (one, number) => {
    const callOff = one.chores.get(number);
    one.chores.delete(number);
    quit(callOff);
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
