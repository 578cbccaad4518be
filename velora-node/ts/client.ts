/** What every client has. */

import type { ClientParts, RateLimitParts } from '../native/index.js';
import { learnApiError } from './api-error.js';
import { inspect } from './host.js';
import { checkOptions, invalidOption, numberOption, textOption } from './options.js';

// Whoever has a client can see its calls fail.
learnApiError();

/** The options of every client; durations are in seconds. */
export interface ClientOptions {
  /** The API's URL: `https`, or `http` on a loopback host. The vendor's by default. */
  baseUrl?: string | undefined;
  /** How many requests a call may send, including the first. 5 by default. */
  attempts?: number | undefined;
  /** Upper bounds: `base` of the first wait, which doubles with each further one; `max` of all waits. 0.5 and 20 by default. */
  backoff?: { base: number; max: number } | undefined;
  /**
   * The longest `Retry-After` that is waited for. 60 by default. If the system asks for more, a call
   * that could be repeated fails at once with `rate_limited` and the delay in the error. After a 429,
   * all calls of the same kind (reads, or writes) wait for its `Retry-After`, or fail too.
   */
  maxRetryDelay?: number | undefined;
  /** The longest wait for a connection. 10 by default. */
  connectTimeout?: number | undefined;
  /** The longest wait for the next bytes. 30 by default; 300 for Velora TV. */
  readTimeout?: number | undefined;
  /**
   * The longest a call may take, including all attempts and waits. For a CSV, which is read as it
   * arrives, it ends with the first row. 600 by default; 60 for Velora TV.
   */
  callTimeout?: number | undefined;
  /**
   * The largest body that is read, in bytes after decoding. In a CSV, which is read as it arrives,
   * it limits each row. 64 MiB by default.
   */
  maxResponseBytes?: number | undefined;
  /**
   * Sends all requests to an `https` base URL through a tunnel of this proxy, `http://…` or
   * `https://…`. An `http` base URL is on a loopback host, and is never proxied. None by default,
   * whatever the environment says.
   */
  proxy?: string | undefined;
}

/** The names of those options. */
export const CLIENT_OPTIONS = [
  'baseUrl', 'attempts', 'backoff', 'maxRetryDelay', 'connectTimeout', 'readTimeout',
  'callTimeout', 'maxResponseBytes', 'proxy',
] as const;

/** What the addon takes. */
export function clientParts(options: ClientOptions): ClientParts {
  const backoff = options.backoff;
  const { base, max } = checkOptions(backoff, ['base', 'max']);
  if (backoff && (base === undefined || max === undefined)) {
    throw invalidOption('backoff is not { base, max }');
  }
  return {
    baseUrl: textOption('baseUrl', options.baseUrl),
    attempts: numberOption('attempts', options.attempts),
    backoff: backoff && [numberOption('base', base), numberOption('max', max)],
    maxRetryDelay: numberOption('maxRetryDelay', options.maxRetryDelay),
    connectTimeout: numberOption('connectTimeout', options.connectTimeout),
    readTimeout: numberOption('readTimeout', options.readTimeout),
    callTimeout: numberOption('callTimeout', options.callTimeout),
    maxResponseBytes: numberOption('maxResponseBytes', options.maxResponseBytes),
    proxy: textOption('proxy', options.proxy),
  } as ClientParts;
}

/**
 * A system's rate limit, according to the last response that mentioned it.
 *
 * Velora Health sends only `Retry-After`. Velora Billing sends the reset as ISO 8601, Velora TV as
 * Unix seconds. All are read.
 */
export interface RateLimit {
  /** How many requests are allowed in a rate-limit window. */
  limit: number | null;
  /** How many requests are left in this window. */
  remaining: number | null;
  /** When the next window starts. */
  reset: Date | null;
  /** The end of the wait that the last 429 asked for. */
  retryAt: Date | null;
}

/** What the addon gives. */
export function rateLimit(parts: RateLimitParts): RateLimit {
  return {
    limit: parts.limit ?? null,
    remaining: parts.remaining ?? null,
    reset: instant(parts.reset),
    retryAt: instant(parts.retryAt),
  };
}

/** An instant that the core wrote, if there is one. */
export function instant(text: string | null | undefined): Date | null {
  return text === null || text === undefined ? null : new Date(text);
}

/** The same object, which has all its members and is logged as this. */
export function loggedAs<T extends object>(text: string, object: T): T {
  return Object.defineProperty(object, inspect.custom, { value: () => text });
}

/** Members that have no name of their own. */
export function extra(pairs: readonly (readonly [string, string])[] | undefined): Record<string, unknown> {
  return Object.fromEntries((pairs ?? []).map(([name, json]) => [name, JSON.parse(json) as unknown]));
}
