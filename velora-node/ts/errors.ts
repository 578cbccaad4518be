/// <reference lib="es2021.promise" preserve="true" />
/// <reference lib="es2022.error" preserve="true" />
/** Errors: real classes with a stable `code`, the same in every language. */

import type { Failure } from '../native/index.js';
import type { Code } from './codes.js';

/** The base of every error of this package. Branch on `code`, never on the message. */
export class VeloraError extends Error {
  /** The stable code. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return 'VeloraError';
  }
}

/** Misuse: a value cannot be used, at construction or as a body or headers. */
export class ConfigError extends VeloraError {
  override get name(): string {
    return 'ConfigError';
  }
}

/** A delivery was refused: it is forged, stale, malformed, or contradicts itself. */
export class VerificationError extends VeloraError {
  override get name(): string {
    return 'VerificationError';
  }
}

/** A deduplication store refused or failed: `lease_lost`, `store_full`, `store_unavailable`. */
export class StoreError extends VeloraError {
  /**
   * For a store of your own, such as `new StoreError('lease_lost', '…')`. Throws `invalid_option` if
   * the code has other characters than `a` to `z` and `_`: the message comes first in Python only.
   */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    if (typeof code !== 'string' || !/^[a-z_]+$/.test(code)) {
      throw new ConfigError('invalid_option', 'this is no code: pass the code first, and then the message');
    }
    super(code, message, options);
  }

  override get name(): string {
    return 'StoreError';
  }
}

/**
 * A file of an export cannot be used: `file_unusable`, `file_mismatch`. Nothing of what it held
 * was overwritten.
 */
export class FileError extends VeloraError {
  override get name(): string {
    return 'FileError';
  }
}

/** The error of a kind of failures. */
type Kind = new (code: Code, message: string, more?: any) => VeloraError;

const kinds: Record<string, Kind> = { config: ConfigError, verification: VerificationError };

/** Says which error a kind of failures is, for parts that not everyone has. */
export function learnKind(kind: string, Error: Kind): void {
  kinds[kind] = Error;
}

/** The error that a failure is. `behind` is where the caller called. */
export function toError(failure: Failure, behind?: Function): VeloraError {
  const error = errorOf(failure);
  if (behind !== undefined) {
    Error.captureStackTrace?.(error, behind);
  }
  return error;
}

function errorOf({ failure, code, message, api }: Failure): VeloraError {
  const Error: Kind = kinds[failure] ?? VeloraError;
  return new Error(code as Code, failure === 'config' ? named(message) : message, api);
}

/** The core calls options by their names in Rust, in backticks. */
function named(message: string): string {
  return message.replace(/_(.)(?=\w*`)/g, (_, letter: string) => letter.toUpperCase());
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

/** A failure of the addon itself, which is a fault of this package. */
export function internal(error: unknown): VeloraError {
  if (error instanceof VeloraError) {
    return error;
  }
  const message = error instanceof Error ? error.message : 'the addon failed';
  return new VeloraError('internal', message, { cause: error });
}
