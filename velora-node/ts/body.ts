/** The raw body of a request, whatever the framework keeps it in. */

import { VeloraError } from './errors.js';
import { isArrayBuffer, isSharedArrayBuffer, isUint8Array, utf8Bytes } from './host.js';

/** A raw body: the bytes as they were received, or the text that they are in UTF-8. */
export type Body = string | Uint8Array | ArrayBuffer | DataView;

/**
 * What the addon takes. Nothing is copied, but for memory that another thread could
 * write to meanwhile.
 */
export function rawBody(body: unknown): string | Uint8Array {
  if (typeof body === 'string') {
    return body;
  }
  try {
    if (ArrayBuffer.isView(body)) {
      const bytes = isUint8Array(body) ? body : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      return isSharedArrayBuffer(bytes.buffer) ? Uint8Array.from(bytes) : bytes;
    }
    if (isArrayBuffer(body)) {
      return new Uint8Array(body);
    }
  } catch {
    // Its memory was given away: there are no bytes any more.
  }
  throw parsed(body);
}

/** Those bytes. */
export function bodyBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? utf8Bytes(body) : body;
}

function parsed(body: unknown): VeloraError {
  const found = body === null || body === undefined ? 'is missing' : 'was already parsed, or is not read yet';
  return new VeloraError(
    'body_already_parsed',
    `the body ${found}: give the raw bytes as they were received. In Express use express.raw({ type: '*/*' }), ` +
      'in Fastify addContentTypeParser with parseAs: "buffer", with a web Request await request.arrayBuffer() or request.text()',
  );
}
