/** The memory of the module in which strings and bytes are passed. */

import type { Instance } from './instance.js';
import { encoder, utf8Text } from '../host.js';

const KEPT = 64 * 1024;
/** A tag and a length. */
const HEAD = 5;

let last: Instance | undefined;
let start = 0;
let view: Uint8Array = new Uint8Array(0);
/** The view from the first item's text on: creating a view costs as much as writing a header. */
let first = view;

/** The values of a header: none, one, or several. */
export type Values = string | string[] | undefined;

/** Room for this many bytes. The previous content is lost. */
export function room(one: Instance, bytes: number): Uint8Array {
  // When memory grows, existing views get length 0.
  if (last !== one || view.length <= bytes || (view.length > KEPT && bytes <= KEPT)) {
    start = one.exports['reserve']!(bytes);
    view = new Uint8Array(one.exports.memory.buffer, start, Math.max(bytes, KEPT));
    first = view.subarray(HEAD);
    last = one;
  }
  return view;
}

/** The bytes that a call has left there. Calling `room` instead could free a large buffer. */
export function left(one: Instance, bytes: number): Uint8Array {
  return new Uint8Array(one.exports.memory.buffer, start, bytes);
}

/** The result of the last call, until the next one. */
export function said(one: Instance): Uint8Array {
  const { exports } = one;
  return new Uint8Array(exports.memory.buffer, exports['said_at']!(), exports['said_length']!());
}

/** The same as text. */
export function saidText(one: Instance): string {
  return utf8Text(said(one));
}

/** The largest size that values can take. */
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

/** Writes the headers' values at the beginning, each tagged with its place; returns where they end. */
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
 * Writes the bytes that a header had on the wire: `fetch` shows each as one character. A text
 * with a character above U+00FF cannot have come from there, and is written as UTF-8.
 */
function putWire(bytes: Uint8Array, at: number, tag: number, text: string): number {
  const start = at + HEAD;
  let length = put(bytes, start, text);
  if (length !== text.length && !/[^\0-\xff]/.test(text)) {
    for (length = 0; length < text.length; length += 1) {
      bytes[start + length] = text.charCodeAt(length);
    }
  }
  return putHead(bytes, at, tag, length);
}

/** Writes an item, text as UTF-8; returns where it ends. */
function putItem(bytes: Uint8Array, at: number, tag: number, value: string | Uint8Array): number {
  return putHead(bytes, at, tag, put(bytes, at + HEAD, value));
}

/** Writes text as UTF-8, or bytes; returns their number. */
export function put(bytes: Uint8Array, at: number, value: string | Uint8Array): number {
  if (typeof value === 'string') {
    return encoder.encodeInto(value, bytes === view && at === HEAD ? first : bytes.subarray(at)).written;
  }
  bytes.set(value, at);
  return value.length;
}

/** The largest size that a text or bytes can take. */
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

/** An item: its tag and its value. */
export type Item = readonly [tag: number, value: string | Uint8Array];

/** Items as bytes. */
export function itemBytes(items: readonly Item[]): Uint8Array {
  const bytes = new Uint8Array(items.reduce((size, [, value]) => size + HEAD + mostOf(value), 0));
  return bytes.subarray(0, items.reduce((at, [tag, value]) => putItem(bytes, at, tag, value), 0));
}

/** Writes items; returns where they end. */
export function putItems(one: Instance, items: readonly Item[]): number {
  return putAlone(one, itemBytes(items));
}

/** Writes a text, or bytes, at the beginning; returns their number. */
export function putAlone(one: Instance, value: string | Uint8Array): number {
  return put(room(one, mostOf(value)), 0, value);
}

/** The eight bytes of a number. */
export function doubleBytes(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}

/** The little-endian whole number in the first `size` bytes. */
export function wholeOf(bytes: Uint8Array, size = 4): number {
  let number = 0;
  for (let at = size - 1; at >= 0; at -= 1) {
    number = number * 256 + bytes[at]!;
  }
  return number;
}

/** The items in these bytes. */
export function itemsOf(bytes: Uint8Array): [tag: number, bytes: Uint8Array][] {
  const items: [number, Uint8Array][] = [];
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const start = at + HEAD;
    const end = start + wholeOf(bytes.subarray(at + 1));
    items.push([bytes[at]!, bytes.subarray(start, end)]);
    at = end;
  }
  return items;
}

/** The first `count` numbers (NaN stands for none), and the bytes after them. */
export function numbersOf(bytes: Uint8Array, count: number): [numbers: (number | undefined)[], rest: Uint8Array] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const numbers = Array.from({ length: count }, (_, at) => {
    const number = view.getFloat64(at * 8, true);
    return Number.isNaN(number) ? undefined : number;
  });
  return [numbers, bytes.subarray(count * 8)];
}
