/** The raw body of a request of `node:http`, read to its end and bounded. */

import type { IncomingMessage } from 'node:http';
import { rawBody } from './body.js';
import type { Receiver, Reply } from './receiver.js';

/**
 * Receives a request. A body that `express.raw()` has read is taken; one that was parsed
 * is `body_already_parsed`.
 */
export async function receiveIncoming(receiver: Receiver, request: IncomingMessage & { body?: unknown }): Promise<Reply> {
  if (request.body instanceof Uint8Array) {
    return receiver.receive(request.body, request.rawHeaders);
  }
  if (request.readableDidRead || request.readableEnded) {
    // A text is refused as well: it is a parser's guess at the bytes.
    rawBody(typeof request.body === 'string' ? {} : (request.body ?? undefined));
  }
  if (request.destroyed) {
    return receiver.unreadable();
  }
  const body = await readBody(request, receiver.bodyLimit);
  return body === undefined ? receiver.unreadable() : receiver.receive(body, request.rawHeaders);
}

/** The headers of the response that a reply is, and its text. */
export function written(reply: Reply): { headers: Record<string, string>; text: string } {
  const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' };
  if (reply.retryAfter !== null) {
    headers['retry-after'] = String(reply.retryAfter);
  }
  if (reply.code === 'body_too_large') {
    // The rest of it is not read.
    headers['connection'] = 'close';
  }
  return { headers, text: reply.outcome };
}

/** The body, or as much of it as shows that it is over the limit; nothing where it broke off. */
function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (body: Buffer | undefined) => {
      request.off('data', data).off('end', whole).off('error', broken).off('close', broken);
      // Whatever still comes is thrown away, and so is an error of it.
      request.on('error', () => {}).resume();
      resolve(body);
    };
    const data = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) {
        whole();
      }
    };
    const whole = () => end(Buffer.concat(chunks, size));
    const broken = () => end(undefined);
    request.on('data', data).on('end', whole).on('error', broken).on('close', broken);
  });
}
