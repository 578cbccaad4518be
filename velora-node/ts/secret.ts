/** Signing secrets that nothing shows by accident. */

import { inspect } from './host.js';
import { ConfigError } from './errors.js';

/** A secret: its text, its raw bytes, or one that was made before. */
export type SecretInput = string | Uint8Array | SigningSecret;

/**
 * The secret that a system signs its deliveries with, as registering an endpoint gives
 * it. Neither logging it nor `JSON.stringify` shows it; `reveal()` does, to store it.
 */
export class SigningSecret {
  readonly #value: string | Uint8Array;

  /** A text, whose UTF-8 bytes are the key, or raw bytes. */
  constructor(value: string | Uint8Array) {
    this.#value = ownSecret(value);
  }

  /** The secret itself, for a secret manager. Keep it out of logs. */
  reveal(): string | Uint8Array {
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
  return inputs.map((one) => {
    return one instanceof SigningSecret ? one.reveal() : ownSecret(one);
  });
}

/** A copy that nobody else can write to. */
function ownSecret(value: unknown): string | Uint8Array {
  if (typeof value === 'string') {
    return value;
  }
  if (value instanceof Uint8Array) {
    try {
      return Uint8Array.from(value);
    } catch {
      // Its memory was given away.
    }
  }
  throw new ConfigError(value === undefined ? 'no_secret' : 'invalid_option', 'a secret is neither a text nor bytes');
}
