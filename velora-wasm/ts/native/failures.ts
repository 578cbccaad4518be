/** What a call of an API that failed tells. */

import type { ApiFailure, Failure } from './types.js';
import { itemsOf, numbersOf } from './frame.js';
import { utf8Text } from '../host.js';

/** The items in the order of their tags: see `client/failure.rs`. */
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
