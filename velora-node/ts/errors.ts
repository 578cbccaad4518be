/** Errors: real classes with a stable `code`, the same in every language. */

import type { ApiFailure, Failure } from '../native/index.js';
import type { Code } from './codes.js';

/** The base of every error of this package. Branch on `code`, never on the message. */
export class VeloraError extends Error {
  /** The stable code. */
  readonly code: Code;

  /** For a store of your own, such as `new StoreError('lease_lost', '…')`. */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A delivery was refused. */
export class VerificationError extends VeloraError {}

/** A deduplication store refused or failed. */
export class StoreError extends VeloraError {}

/** One field that a system found fault with. */
export interface Issue {
  /** The system's own code, such as `invalid_type`. */
  readonly code: string | null;
  /** Where in the request, from the outside in. */
  readonly path: readonly string[];
  /** What is wrong, for a human. */
  readonly message: string | null;
}

/**
 * A call of a system's API failed.
 *
 * The message, and what is shown when it is logged, are codes, ids and counts. What the
 * system said is in `detail`, `issues` and `raw`, which are shown nowhere: an error body
 * may repeat what was sent.
 */
export class ApiError extends VeloraError {
  /** The HTTP status, where there was an answer. */
  readonly status: number | null;
  /** The id to quote to the vendor. */
  readonly requestId: string | null;
  /** How many requests were sent for this call; 0 where none was. */
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

  /** The fields that the system found fault with. */
  get issues(): readonly Issue[] {
    return this.#said.issues.map(({ code, path, message }) => ({
      code: code ?? null,
      path,
      message: message ?? null,
    }));
  }

  /** The body of the answer as text: at most its first 8 KiB. */
  get raw(): string {
    return this.#said.raw;
  }
}

for (const errorClass of [VeloraError, VerificationError, StoreError, ApiError]) {
  Object.defineProperty(errorClass.prototype, 'name', { value: errorClass.name, configurable: true });
}

/** The error that a failure is. `behind` is where the caller called. */
export function toError(failure: Failure, behind?: Function): VeloraError {
  const { code, message, api } = failure;
  const error = errorOf(failure.failure, code as Code, message, api);
  if (behind !== undefined) {
    Error.captureStackTrace?.(error, behind);
  }
  return error;
}

function errorOf(kind: string, code: Code, message: string, api?: ApiFailure): VeloraError {
  if (kind === 'api' && api !== undefined) {
    return new ApiError(code, message, api);
  }
  switch (kind) {
    case 'verification':
      return new VerificationError(code, message);
    case 'store':
      return new StoreError(code, message);
    default:
      return new VeloraError(code, message);
  }
}

/** Takes the result, or throws what failed. */
export function unwrap<T>(answer: T | Failure): T {
  if (typeof answer === 'object' && answer !== null && 'failure' in answer) {
    throw toError(answer as Failure, unwrap);
  }
  return answer as T;
}

/** Calls into the addon: what it throws by itself, such as for a panic, is `internal`. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw internal(error);
  }
}

/** What the addon failed with by itself: a fault of this package. */
export function internal(error: unknown): VeloraError {
  if (error instanceof VeloraError) {
    return error;
  }
  const message = error instanceof Error ? error.message : 'the addon failed';
  return new VeloraError('internal', message, { cause: error });
}
