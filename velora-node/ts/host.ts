/** What Node has and other hosts have otherwise; the edge package has a file of this name. */

import { inspect, types } from 'node:util';

export { inspect };
export const { isArrayBuffer, isSharedArrayBuffer, isUint8Array } = types;

/** How to come by the raw body of a request. */
export const RAW =
  "In Express use express.raw({ type: '*/*' }), in Fastify addContentTypeParser with parseAs: \"buffer\", " +
  'with a web Request await request.arrayBuffer() or request.text()';

/** What takes the requests of frameworks that are no web requests. */
export const ADAPTERS = ': for Express and Fastify use velora/express and velora/fastify';

/** Bytes that are given to the caller. */
export type Bytes = Buffer;

/** The UTF-8 bytes of a text. */
export function utf8Bytes(text: string): Bytes {
  return Buffer.from(text, 'utf8');
}

/** The text that bytes are in UTF-8. */
export function utf8Text(bytes: Uint8Array): string {
  return Buffer.isBuffer(bytes) ? bytes.toString('utf8') : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** A copy that nobody else can write to. */
export function copyOf(bytes: Uint8Array): Bytes {
  return Buffer.from(bytes);
}

/** The variables of the environment. */
export function environment(): Record<string, string | undefined> {
  return process.env;
}
