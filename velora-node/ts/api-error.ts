/** Calls of a system's API that failed. */

import type { ApiFailure } from '../native/index.js';
import type { Code } from './codes.js';
import { learnKind, VeloraError } from './errors.js';

/** One field that the system rejected. */
export interface Issue {
  /** The system's own code, such as `invalid_type`. */
  readonly code: string | null;
  /** The path of the field in the request, outermost part first. */
  readonly path: readonly string[];
  /** What is wrong, for a human. */
  readonly message: string | null;
}

/**
 * A call of a system's API failed.
 *
 * The message, and what logging it shows, are codes, ids and counts. What the system said is in
 * `detail`, `issues` and `raw`, which are not shown by themselves, because an error body may repeat
 * what was sent.
 */
export class ApiError extends VeloraError {
  /** The HTTP status, if there was a response. */
  readonly status: number | null;
  /** The request id to quote to the vendor. */
  readonly requestId: string | null;
  /** How often the call tried to send its request; 0 if it never did. To fail to get a token counts as a try. */
  readonly attempts: number;
  /** How long the system asked to wait, in seconds. */
  readonly retryAfter: number | null;
  /** Whether the same call may succeed later. */
  readonly isRetryable: boolean;
  /** The system's own code, such as CuraeAI's `SCOPE_INSUFFICIENT`. */
  readonly vendorCode: string | null;
  readonly #said: Pick<ApiFailure, 'detail' | 'issues' | 'raw'>;

  /** @internal */
  constructor(code: Code, message: string, api: ApiFailure) {
    super(code, message);
    this.status = api.status ?? null;
    this.requestId = api.requestId ?? null;
    this.attempts = api.attempts;
    this.retryAfter = api.retryAfter ?? null;
    this.isRetryable = api.isRetryable;
    this.vendorCode = api.vendorCode ?? null;
    this.#said = api;
  }

  /** What the system said went wrong. */
  get detail(): string | null {
    return this.#said.detail ?? null;
  }

  /** The fields that the system rejected. */
  get issues(): readonly Issue[] {
    return this.#said.issues.map(({ code, path, message }) => ({
      code: code ?? null,
      path,
      message: message ?? null,
    }));
  }

  /** The body of the response as text: at most its first 8 KiB. */
  get raw(): string {
    return this.#said.raw;
  }

  override get name(): string {
    return 'ApiError';
  }
}

/** From here on a failure of a call is one of these. */
export function learnApiError(): void {
  learnKind('api', ApiError);
}
