/** Signing secrets that nothing shows by accident. */

import { inspect, isUint8Array } from './host.js';
import { checkSecret } from '../native/index.js';
import { ConfigError, guard, unwrap } from './errors.js';
import { text } from './options.js';

/**
 * A secret: its text, its raw bytes, or one that was made before. A variable of the environment
 * that is not set is `no_secret`.
 */
export type SecretInput = string | Uint8Array | SigningSecret | undefined;

/**
 * The secret that a system signs its deliveries with, as returned when an endpoint is registered.
 * Neither logging it nor `JSON.stringify` shows it; `exposeSecret()` returns it, to store it.
 */
export class SigningSecret {
  readonly #value: string | Uint8Array;

  /**
   * A string, whose UTF-8 bytes are the key, raw bytes, or another `SigningSecret`.
   *
   * Throws `empty_secret`, `secret_has_whitespace`; `no_secret` if it is missing;
   * `invalid_option` if it is anything else.
   */
  constructor(value: SecretInput) {
    this.#value = ownSecret(value);
    unwrap(guard(() => checkSecret(this.#value)));
  }

  /** The secret itself, for a secret manager. Keep it out of logs. */
  exposeSecret(): string | Uint8Array {
    return typeof this.#value === 'string' ? this.#value : Uint8Array.from(this.#value);
  }

  toString(): string {
    return 'SigningSecret(..)';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The secrets as the addon takes them. */
export function secretList(input: SecretInput | readonly SecretInput[]): (string | Uint8Array)[] {
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input];
  // A place that was left out is one without a secret.
  return Array.from(inputs, ownSecret);
}

/** A copy that nobody else can write to. */
function ownSecret(value: unknown): string | Uint8Array {
  if (value instanceof SigningSecret) {
    return value.exposeSecret();
  }
  if (typeof value === 'string') {
    return text('a secret', value);
  }
  if (isUint8Array(value)) {
    try {
      return Uint8Array.from(value);
    } catch {
      // Its memory was given away.
    }
  }
  throw value === undefined
    ? new ConfigError('no_secret', 'the secret is missing')
    : new ConfigError('invalid_option', 'a secret is neither a string nor bytes');
}
