/** The raw body of a request of `node:http`, read to its end and bounded. */

import type { IncomingMessage } from 'node:http';
import { Chunks } from './body.js';
import { ConfigError } from './errors.js';
import type { Receiver, Reply } from './receiver.js';

/**
 * Receives a request. A body that `express.raw()` has read is taken; one that was parsed
 * is `body_already_parsed`, and `remedy` says what to do about it in this framework.
 */
export async function receiveIncoming(receiver: Receiver, request: IncomingMessage & { body?: unknown }, remedy: string): Promise<Reply> {
  if (request.body instanceof Uint8Array) {
    return receiver.receive(request.body, request.rawHeaders);
  }
  // What was read elsewhere is gone, and what comes as text is a decoder's guess at the bytes.
  if (request.readableDidRead || request.readableEnded || (request.readableEncoding ?? null) !== null) {
    throw new ConfigError('body_already_parsed', `the body was read before this route: ${remedy}`);
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
async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks = new Chunks(limit);
  const whole = await new Promise<boolean>((resolve, reject) => {
    const end = (settle: () => void) => {
      request.off('data', data).off('end', ended).off('error', broken).off('close', broken);
      // Whatever still comes is thrown away, and so is an error of it.
      request.on('error', () => {}).resume();
      settle();
    };
    const data = (chunk: unknown) => {
      // What a listener throws would end the process.
      try {
        if (chunks.add(chunk)) {
          ended();
        }
      } catch (error) {
        end(() => reject(error));
      }
    };
    const ended = () => end(() => resolve(true));
    const broken = () => end(() => resolve(false));
    request.on('data', data).on('end', ended).on('error', broken).on('close', broken);
  });
  return whole ? chunks.bytes : undefined;
}
