/** What every host has, for want of what Node has. */

/** Where hosts that know of it look for what to show of an object. */
export const inspect = { custom: Symbol.for('nodejs.util.inspect.custom') as unknown as typeof CUSTOM };
declare const CUSTOM: unique symbol;

const sizeOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')!.get!;
export const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** How to come by the raw body of a request. */
export const RAW = 'Use await request.arrayBuffer() or request.text()';

/** What takes requests that are no web requests: nothing here. */
export const ADAPTERS = '';

/** Bytes that are given to the caller. */
export type Bytes = Uint8Array;

/** Whether it is one of this realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Whether it is one, whichever realm it is of. */
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

/** The text that bytes are in UTF-8. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A copy that nobody else can write to. */
export function copyOf(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** The variables of the environment, where the host has any. */
export function environment(): Record<string, string | undefined> {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env ?? {};
}
