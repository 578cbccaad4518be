/** The headers of a request, whatever the framework keeps them in. */

import { ConfigError, VeloraError } from './errors.js';

/** A header that was received never, once, or more often. */
export type Values = string | string[] | undefined;

/**
 * `IncomingHttpHeaders`, `rawHeaders`, `Headers`, a `Map`, pairs, or a plain object.
 * `rawHeaders` and pairs show a header that was sent twice; prefer them.
 */
export type HeadersInput =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | readonly string[]
  | Iterable<readonly [string, string]>
  | { get(name: string): string | null };

/** The values of the headers of these names, which are in lower case. */
export function headerValues(headers: HeadersInput, wanted: readonly string[]): Values[] {
  if (typeof headers !== 'object' || headers === null) {
    throw unreadable('they are missing or not an object');
  }
  try {
    return read(headers, wanted);
  } catch (error) {
    throw threw(error);
  }
}

function read(headers: HeadersInput, wanted: readonly string[]): Values[] {
  if (!(Symbol.iterator in headers)) {
    const { get } = headers as { get?: unknown };
    return wanted.map((name) => (typeof get === 'function' ? joined(undefined, get.call(headers, name)) : inObject(headers, name)));
  }
  if (headers instanceof Headers) {
    return wanted.map((name) => headers.get(name) ?? undefined);
  }
  const values: Values[] = new Array(wanted.length).fill(undefined);
  if (Array.isArray(headers) && typeof headers[0] === 'string') {
    for (let at = 0; at < headers.length; at += 2) {
      add(values, wanted, headers[at], headers[at + 1]);
    }
  } else {
    for (const pair of headers as Iterable<readonly [string, string]>) {
      if (typeof pair !== 'object' || pair === null || pair.length !== 2) {
        throw unreadable('an entry is not a pair');
      }
      add(values, wanted, pair[0], pair[1]);
    }
  }
  return values;
}

function inObject(headers: object, name: string): Values {
  let found: Values;
  for (const key in headers) {
    if (names(key, name) && Object.hasOwn(headers, key)) {
      found = joined(found, (headers as Record<string, unknown>)[key]);
    }
  }
  return found;
}

/**
 * The one header of this name in a plain object: the quick way for the usual case.
 * `name` is in lower case.
 */
export function headerValue(headers: object, name: string): Values {
  try {
    return inObject(headers, name);
  } catch (error) {
    throw threw(error);
  }
}

/** A name as the names of properties are, which are compared by where they lie. */
export function interned(name: string): string {
  return Object.keys({ [name]: 0 })[0]!;
}

/** Whether `headerValue` may be used. */
export function isPlain(headers: unknown): headers is Record<string, unknown> {
  if (typeof headers !== 'object' || headers === null) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(headers);
  const plain = prototype === Object.prototype || prototype === null;
  return plain && typeof (headers as Record<string, unknown>)['get'] !== 'function';
}

function add(values: Values[], wanted: readonly string[], name: unknown, value: unknown): void {
  if (typeof name !== 'string') {
    throw unreadable('a name is not a string');
  }
  const at = wanted.findIndex((one) => names(name, one));
  if (at >= 0) {
    values[at] = joined(values[at], value);
  }
}

/** Without regard to ASCII case alone: the Kelvin sign, and nothing else, becomes a `k`. */
function names(key: string, name: string): boolean {
  return key === name || (key.length === name.length && key.toLowerCase() === name && !key.includes('\u212a'));
}

function joined(before: Values, value: unknown): Values {
  if (value === undefined || value === null) {
    return before;
  }
  if (before === undefined && typeof value === 'string') {
    return value;
  }
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  for (const text of texts) {
    if (typeof text !== 'string') {
      throw unreadable('a value is not a string');
    }
    // Two are too many already: how many more does not matter.
    before = before === undefined ? text : typeof before === 'string' ? [before, text] : before;
  }
  return before;
}

/** What a getter or a proxy of the caller's threw. */
function threw(error: unknown): VeloraError {
  return error instanceof VeloraError ? error : unreadable('reading them threw', error);
}

function unreadable(reason: string, cause?: unknown): ConfigError {
  const options = cause === undefined ? undefined : { cause };
  return new ConfigError('unreadable_headers', `the headers cannot be read: ${reason}`, options);
}
