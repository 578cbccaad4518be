/** Calling the module: what fails, and what takes time. */

import type { ApiFailure, Failure } from './types.js';
import { answerText, mostOf, putItem, room } from './frame.js';
import { failed, instance, type Glue, type Instance } from './instance.js';

/** What a quick call gives that failed. */
export const FAILED = Infinity;

/** Calls; what fails by itself ends the instance. */
export function enter<T>(call: (one: Instance) => T): T | Failure {
  const one = instance();
  try {
    return call(one);
  } catch (error) {
    return failure(one, error);
  }
}

/** The result of a call that takes time. */
export async function later<T, R>(start: (one: Instance) => Promise<T>, read: (value: T) => R): Promise<R | Failure> {
  const one = instance();
  let tell!: (error: unknown) => void;
  const ended = new Promise<never>((_, reject) => {
    tell = reject;
  });
  one.waiting.add(tell);
  try {
    return read(await Promise.race([start(one), ended]));
  } catch (error) {
    return failure(one, error);
  } finally {
    one.waiting.delete(tell);
  }
}

/** What the last quick call failed with. */
export function lastFailure(one: Instance): Failure {
  return failureOf(answerText(one, one.glue['failed']()));
}

function failure(one: Instance, error: unknown): Failure {
  if (typeof error === 'string') {
    return failureOf(error);
  }
  // A trap, or an end of the stack: whoever called before was told.
  throw instance() === one && isFault(error) ? failed(one, error) : error;
}

function isFault(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError || error instanceof TypeError;
}

function failureOf(text: string): Failure {
  const [failure = '', code = '', ...rest] = text.split('\n');
  const message = rest.join('\n');
  if (failure !== 'api') {
    return { failure, code, message } as Failure;
  }
  const api = JSON.parse(message) as ApiFailure & { message: string };
  return { failure, code, message: api.message, api } as Failure;
}

/** Writes items, tag by tag; gives where they end. */
export function putItems(one: Instance, items: readonly (readonly [number, string | Uint8Array])[]): number {
  const size = items.reduce((size, [, value]) => size + 5 + mostOf(value), 0);
  const bytes = room(one, size);
  return items.reduce((at, [tag, value]) => putItem(bytes, at, tag, value), 0);
}

/** Something of the module's, made anew where the module was. */
export class Made<T> {
  readonly #make: (glue: Glue, one: Instance) => T;
  #made: T;
  #of: Instance;

  /** Throws what making it failed with: a text. */
  constructor(one: Instance, make: (glue: Glue, one: Instance) => T) {
    this.#make = make;
    this.#of = one;
    this.#made = make(one.glue, one);
  }

  in(one: Instance): T {
    if (this.#of !== one) {
      this.#made = this.#make(one.glue, one);
      this.#of = one;
    }
    return this.#made;
  }
}
