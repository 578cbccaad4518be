/** The raw body of a request, whatever the framework keeps it in. */

import { ConfigError } from './errors.js';
import { isArrayBuffer, isSharedArrayBuffer, isUint8Array, RAW, utf8Bytes } from './host.js';

/**
 * A raw body: the bytes as they were received; or the text that they are in UTF-8, if nothing was
 * lost in decoding it.
 */
export type Body = string | Uint8Array | ArrayBuffer | DataView;

/**
 * A raw body as it is. Nothing is copied, but for memory that another thread could write
 * to meanwhile.
 */
export function rawBody(body: unknown): string | Uint8Array {
  const raw = rawMemory(body);
  return typeof raw !== 'string' && isSharedArrayBuffer(raw.buffer) ? unshared(raw) : raw;
}

/** The same, for who asks the addon whether the memory is shared: that takes less time. */
export function rawMemory(body: unknown): string | Uint8Array {
  return typeof body === 'string' ? body : rawBytes(body);
}

/** Bytes, in whatever view of them. Throws `body_already_parsed` where there are none. */
export function rawBytes(body: unknown): Uint8Array {
  try {
    if (ArrayBuffer.isView(body)) {
      const raw = isUint8Array(body) ? body : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      if (raw.length === 0) {
        // Throws where there were bytes.
        raw.at(0);
      }
      return raw;
    }
    if (isArrayBuffer(body)) {
      return new Uint8Array(body);
    }
  } catch {
    // Its memory was given away: there are no bytes any more.
  }
  throw parsed(body);
}

/** Bytes that other threads could write to, copied. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

/** Those bytes. */
export function bodyBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? utf8Bytes(body) : body;
}

/** The bytes of a web stream, or as many as show that they are over the limit; none where it broke off. */
export async function streamed(stream: ReadableStream<unknown>, limit: number): Promise<Uint8Array | undefined> {
  const reader = stream.getReader();
  const chunks = new Chunks(limit);
  try {
    for (;;) {
      const step = await reader.read().catch(() => undefined);
      if (!step || step.done || chunks.add(step.value)) {
        return step && chunks.bytes;
      }
    }
  } finally {
    // Whether what is left can be called off changes nothing.
    reader.cancel().catch(() => {});
  }
}

/**
 * A body that comes in chunks, in one piece of memory that grows with it: kept apart, small
 * chunks would take many times the body limit.
 */
export class Chunks {
  /** Of a body over the limit, one byte beyond it is kept. */
  readonly #most: number;
  #bytes: Uint8Array = new Uint8Array();
  #size = 0;

  constructor(limit: number) {
    this.#most = limit + 1;
  }

  /**
   * Takes a chunk, and says whether the body is over the limit now. Throws
   * `body_already_parsed` where it is not bytes: a text is a decoder's guess at them.
   */
  add(chunk: unknown): boolean {
    const bytes = rawBytes(chunk);
    const before = this.#size;
    this.#size = Math.min(before + bytes.length, this.#most);
    this.#grow();
    // Its memory is the sender's again once the next one is asked for.
    this.#bytes.set(bytes.subarray(0, this.#size - before), before);
    return this.#size === this.#most;
  }

  /** What has come. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #grow(): void {
    if (this.#size > this.#bytes.length) {
      const more = new Uint8Array(Math.min(2 * this.#size, this.#most));
      more.set(this.#bytes);
      this.#bytes = more;
    }
  }
}

function parsed(body: unknown): ConfigError {
  const found = body === null || body === undefined ? 'is missing' : 'was already parsed, or has not been read';
  return new ConfigError('body_already_parsed', `the body ${found}: pass the raw bytes as received. ${RAW}`);
}
