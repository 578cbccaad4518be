/** Asynchronous work: the module's tasks, and its requests to the host. */

import type { Failure } from './types.js';
import { itemsOf, putAlone, said, wholeOf } from './frame.js';
import { enter } from './calls.js';
import { failureOf } from './failures.js';
import { VeloraError } from '../errors.js';
import { learnTurn, quietly } from './held.js';
import { quit, type Instance } from './instance.js';

/** Cancels the one call that it is passed to. */
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

/** The result of an asynchronous call; `start` returns its task. */
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

/** Ends a task at once, without telling its caller. */
function endTask(one: Instance, task: number): void {
  one.tasks.delete(task);
  quietly(one, () => {
    one.exports['end_task']!(task);
    turn(one);
  });
}

/** Ends a task whose request the host will never answer. */
export function giveUp(one: Instance, task: number): void {
  const waiting = one.tasks.get(task);
  endTask(one, task);
  waiting?.broken(new VeloraError('internal', 'the host did not answer'));
}

/** Carries out one item of a turn; by tag, see `task.rs`. */
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

/** Sets how the items with this tag are carried out. */
export function learn(tag: number, chore: Chore): void {
  chores[tag] = chore;
}

/** Advances all tasks that can go on, and carries out what they ask for. */
function turn(one: Instance): void {
  one.exports['turn']!(Date.now(), performance.now());
  // A copy, because a chore may call the module again.
  for (const [tag, bytes] of itemsOf(said(one).slice())) {
    chores[tag]!(one, wholeOf(bytes), bytes.subarray(4));
  }
}

/** Passes the module the answer to one of its requests. */
export function answer(one: Instance, number: number, outcome: number, bytes: string | Uint8Array = ''): void {
  quietly(one, () => {
    one.exports['answer']!(number, outcome, putAlone(one, bytes));
    turn(one);
  });
}
