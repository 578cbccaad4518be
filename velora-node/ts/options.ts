/** Options: what is absent is the core's default, what is unknown is refused. */

import { ConfigError } from './errors.js';

/**
 * Refuses what is no options object, and names that no option has: a misspelt one would
 * otherwise be a default that nobody asked for.
 */
export function checkOptions<O extends object>(options: O | undefined, known: readonly (keyof O & string)[]): O {
  if (options === undefined) {
    return {} as O;
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption('the options are not an object');
  }
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) {
      // What is no word may be anything: a header, a secret. The longest option has 25 letters in
      // snake_case.
      const found = /^[a-z_]{1,25}$/i.test(name) ? `unknown option ${name}` : 'an unknown option';
      throw invalidOption(`${found}; known options: ${known.join(', ')}`);
    }
  }
  return options;
}

/** The value of an option that is a number, if it is given. */
export function numberOption(name: string, value: unknown): number | undefined {
  return typed<number>(name, value, 'number');
}

/**
 * The value of an option that is a text, if it is given. With half a surrogate pair it is none: the
 * core would be given another text instead, and the same one for all of them.
 */
export function textOption(name: string, value: unknown): string | undefined {
  const given = typed<string>(name, value, 'string');
  if (given?.isWellFormed() === false) {
    throw invalidOption(`${name} cannot be encoded as UTF-8`);
  }
  return given;
}

/** An API key, if it is given. The core refuses one that is not ASCII. */
export function keyOption(name: string, value: unknown): string | undefined {
  return typed<string>(name, value, 'string');
}

/** The value of an option that is true or false, if it is given. */
export function flagOption(name: string, value: unknown): boolean | undefined {
  return typed<boolean>(name, value, 'boolean');
}

/** The value of an option that is a function, if it is given. */
export function functionOption<F extends Function>(name: string, value: F | undefined): F | undefined {
  const given = typed<F>(name, value, 'function');
  if (isGenerator(given?.prototype)) {
    throw invalidOption(`${name} is a generator function: calling it runs none of it`);
  }
  return given;
}

/** A function that has to be there. */
export function callable<F extends Function>(name: string, value: F | undefined): F {
  return present(name, functionOption(name, value));
}

/** Whether it is what a generator function gives, however it was compiled: nothing has run yet. */
export function isGenerator(value: unknown): boolean {
  const { next, throw: raise } = (value ?? {}) as Partial<Generator>;
  return typeof next === 'function' && typeof raise === 'function';
}

/** The value of an option that is a list of texts, if it is given. */
export function textsOption(name: string, value: unknown): string[] | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (!Array.isArray(value) || !value.every((text) => typeof text === 'string')) {
    throw invalidOption(`${name} is not an array of strings`);
  }
  value.forEach((text) => textOption(name, text));
  return value;
}

/** A text that has to be there. */
export function text(name: string, value: unknown): string {
  return present(name, textOption(name, value));
}

/** A list of texts that has to be there. */
export function texts(name: string, value: unknown): string[] {
  return present(name, textsOption(name, value));
}

/** An instant, as text that the core reads. */
export function instantOption(name: string, value: unknown): string | undefined {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw invalidOption(`${name} is not a valid date`);
    }
    return value.toISOString();
  }
  return textOption(name, value);
}

/** An `invalid_option`. */
export function invalidOption(message: string): ConfigError {
  const error = new ConfigError('invalid_option', message);
  Error.captureStackTrace?.(error, invalidOption);
  return error;
}

function present<T>(name: string, given: T | undefined): T {
  if (given === undefined) {
    throw invalidOption(`${name} is missing`);
  }
  return given;
}

function typed<T>(name: string, value: unknown, type: string): T | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== type) {
    throw invalidOption(`${name} is not a ${type}`);
  }
  return value as T;
}
