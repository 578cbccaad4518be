/** The memory of the module that texts and bytes are handed over in. */

import type { Instance } from './instance.js';
import { utf8Text } from '../host.js';

const KEPT = 64 * 1024;
/** A tag and a length. */
const HEAD = 5;

const encoder = new TextEncoder();
const views = new WeakMap<Instance, Uint8Array>();
let last: Instance | undefined;
let view: Uint8Array = new Uint8Array(0);

/** A header that was received never, once, or more often. */
export type Values = string | string[] | undefined;

/** Room for so many bytes. What stood there is no more. */
export function room(one: Instance, bytes: number): Uint8Array {
  if (last !== one) {
    last = one;
    view = views.get(one) ?? new Uint8Array(0);
  }
  // Memory that has grown leaves views of no length behind.
  if (view.length < bytes || (view.length > KEPT && bytes <= KEPT)) {
    const at = one.glue['reserve'](Math.max(bytes, 1));
    view = new Uint8Array(one.glue['memory'].buffer, at, Math.max(bytes, KEPT));
    views.set(one, view);
  }
  return view;
}

/** The first so many bytes of an answer. */
export function answer(one: Instance, length: number): Uint8Array {
  return new Uint8Array(one.glue['memory'].buffer, one.glue['reserve'](0), length);
}

/** The text that an answer is. */
export function answerText(one: Instance, length: number): string {
  return utf8Text(answer(one, length));
}

/** The most that values can take. */
export function sizeOf(values: readonly Values[]): number {
  let size = 0;
  for (const value of values) {
    if (typeof value === 'string') {
      size += HEAD + value.length * 3;
    } else if (value !== undefined) {
      size += sizeOf(value);
    }
  }
  return size;
}

/** Writes the values of headers, each with its place as the tag; gives where they end. */
export function putValues(bytes: Uint8Array, values: readonly Values[]): number {
  let at = 0;
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place];
    if (typeof value === 'string') {
      at = putWire(bytes, at, place, value);
    } else if (value !== undefined) {
      for (const one of value) {
        at = putWire(bytes, at, place, one);
      }
    }
  }
  return at;
}

/**
 * The bytes that a header had on the wire: `fetch` shows each as one character. A text
 * with a character that no byte is shown as cannot have come from there, and is UTF-8.
 */
function putWire(bytes: Uint8Array, at: number, tag: number, text: string): number {
  const start = at + HEAD;
  for (let place = 0; place < text.length; place += 1) {
    const code = text.charCodeAt(place);
    if (code > 0xff) {
      return putItem(bytes, at, tag, text);
    }
    bytes[start + place] = code;
  }
  return putHead(bytes, at, tag, text.length);
}

/** Writes an item, a text in UTF-8; gives where it ends. */
export function putItem(bytes: Uint8Array, at: number, tag: number, value: string | Uint8Array): number {
  return putHead(bytes, at, tag, put(bytes, at + HEAD, value));
}

/** Writes a text in UTF-8, or bytes; gives their number. */
export function put(bytes: Uint8Array, at: number, value: string | Uint8Array): number {
  if (typeof value === 'string') {
    return encoder.encodeInto(value, bytes.subarray(at)).written;
  }
  bytes.set(value, at);
  return value.length;
}

/** The most that a text or bytes can take. */
export function mostOf(value: string | Uint8Array): number {
  return typeof value === 'string' ? value.length * 3 : value.length;
}

function putHead(bytes: Uint8Array, at: number, tag: number, length: number): number {
  bytes[at] = tag;
  bytes[at + 1] = length;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length >>> 16;
  bytes[at + 4] = length >>> 24;
  return at + HEAD + length;
}
