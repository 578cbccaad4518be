/** Reads the module's failures: see `failure.rs`. */

import type { ApiFailure, Failure } from './types.js';
import { itemsOf, numbersOf, said } from './frame.js';
import type { Instance } from './instance.js';
import { utf8Text } from '../host.js';

const readers = new Map<string, (code: string, bytes: Uint8Array) => Failure>();

/** Sets how to read a kind of failure that is more than a message. */
export function learnFailure(kind: string, read: (code: string, bytes: Uint8Array) => Failure): void {
  readers.set(kind, read);
}

export function failureOf(bytes: Uint8Array): Failure {
  const text = utf8Text(bytes);
  const [code = '', failure = ''] = text.split('\n', 2);
  const rest = code.length + failure.length + 2;
  return readers.get(failure)?.(code, bytes.subarray(rest)) ?? ({ failure, code, message: text.slice(rest) } as Failure);
}

/** The failure of the last synchronous call. */
export function lastFailure(one: Instance): Failure {
  return failureOf(said(one));
}

/** The failure of an API call; for its items, see `client/failure.rs`. */
export function apiFailureOf(code: string, bytes: Uint8Array): Failure {
  const [[status, attempts, retryAfter, retryable], items] = numbersOf(bytes, 4);
  const texts: (string | undefined)[] = [];
  const issues: { code?: string; path: string[]; message?: string }[] = [];
  for (const [tag, value] of itemsOf(items)) {
    const text = utf8Text(value);
    const issue = issues.at(-1);
    switch (tag) {
      case 5:
        issues.push({ path: [] });
        break;
      case 6:
        issue!.code = text;
        break;
      case 7:
        issue!.path.push(text);
        break;
      case 8:
        issue!.message = text;
        break;
      default:
        texts[tag] = text;
    }
  }
  const [message = '', requestId, vendorCode, detail, raw = ''] = texts;
  const api = { status, attempts, retryAfter, isRetryable: retryable === 1, requestId, vendorCode, detail, raw, issues };
  return { failure: 'api', code, message, api: api as unknown as ApiFailure } as Failure;
}
