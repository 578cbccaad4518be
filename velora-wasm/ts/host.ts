/** Replaces what only Node has with what every host has. */

/** The symbol under which some hosts look up how to show an object. */
export const inspect = { custom: Symbol.for('nodejs.util.inspect.custom') as unknown as typeof CUSTOM };
declare const CUSTOM: unique symbol;

const sizeOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')!.get!;
const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;
/** @internal Not every host's types have its type. */
export const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** How to get the raw body of a request. */
export const RAW = 'Use await request.arrayBuffer() or request.text()';

/** The adapters for requests that are not web requests: none here. */
export const ADAPTERS = '';

/** Bytes that are returned to the caller. */
export type Bytes = Uint8Array;

/** Whether it is a `Uint8Array` of any realm: under jsdom, those of the host are of another. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || kindOf.call(value) === 'Uint8Array';
}

/** Whether it is an `ArrayBuffer` of any realm. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    sizeOf.call(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether other threads could write to it. */
export function isSharedArrayBuffer(value: unknown): boolean {
  return !isArrayBuffer(value);
}

/** The UTF-8 bytes of a text. */
export function utf8Bytes(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A copy that nobody else can write to. */
export function copyOf(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** The environment variables, if the host has any. */
export function environment(): Record<string, string | undefined> {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env ?? {};
}
