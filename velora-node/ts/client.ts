/** What every client has. */

import type { ClientParts, RateLimitParts } from '../native/index.js';
import { learnApiError } from './api-error.js';
import { inspect } from './host.js';
import { checkOptions, invalidOption, numberOption, textOption } from './options.js';

// Whoever has a client can see its calls fail.
learnApiError();

/** The options of every client; times are in seconds. What is absent is a default. */
export interface ClientOptions {
  /** Where the API is: `https`, or `http` on a loopback host. The vendor's by default. */
  baseUrl?: string | undefined;
  /** How many requests a call may cost, the first included. 5 by default. */
  attempts?: number | undefined;
  /** The upper end of the first wait, which doubles, and of every wait. 0.5 and 20 by default. */
  backoff?: { base: number; max: number } | undefined;
  /**
   * The longest `Retry-After` that is waited for. 60 by default. Past it the call fails at once
   * with `rate_limited`, and the delay in the error. That of a 429 all calls of the client wait
   * for that read, or that write, as the one it answered does.
   */
  maxRetryDelay?: number | undefined;
  /** The longest wait for a connection. 10 by default. */
  connectTimeout?: number | undefined;
  /** The longest wait for the next bytes. 30 by default. */
  readTimeout?: number | undefined;
  /** The longest a call may take, all attempts and waits included. 600 by default. */
  callTimeout?: number | undefined;
  /** The largest body that is read, in bytes after decoding. 64 MiB by default. */
  maxResponseBytes?: number | undefined;
  /**
   * Sends everything to an `https` base URL through this proxy, `http://…` or `https://…`, in
   * a tunnel. To an `http` one, which is the loopback host's, none is used. Without it there
   * is none, whatever the environment says.
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
 * The rate limit as the last answer that spoke of it left it.
 *
 * Velora Health says nothing but `Retry-After`; Velora Billing gives the reset as ISO 8601,
 * Velora TV as Unix seconds. All are read.
 */
export interface RateLimit {
  /** Requests allowed in a window. */
  limit: number | null;
  /** Requests left in this window. */
  remaining: number | null;
  /** When the window starts anew. */
  reset: Date | null;
  /** Until when the last 429 asked to wait. */
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
