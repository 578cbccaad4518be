/**
 * A route handler for Express.
 *
 * ```js
 * app.post('/velora-webhook', deliveries(receiver));
 * ```
 *
 * It reads the raw body itself: put it before `express.json()`, or on a path that is not
 * parsed. A body that was parsed before is passed on as `body_already_parsed`.
 */

import type { RequestHandler } from 'express';
import { receiveIncoming, written } from './incoming.js';
import { Receiver } from './receiver.js';
import type { Scheme, SchemeName } from './scheme.js';

const REMEDY = "mount it before express.json() and other parsers, or read its body with express.raw({ type: '*/*' })";

/**
 * Answers each request with the receiver's reply. Throws `invalid_option` if the receiver has no
 * `onEvent`.
 */
export function deliveries<S extends SchemeName | Scheme>(receiver: Receiver<S>): RequestHandler {
  Receiver.handler(receiver);
  return (request, response, next) => {
    receiveIncoming(receiver as unknown as Receiver, request, REMEDY)
      .then((reply) => {
        // Another middleware, such as a time limit, may have answered meanwhile.
        if (!response.headersSent && !response.destroyed) {
          const { headers, text } = written(reply);
          response.status(reply.status).set(headers).send(text);
        }
      })
      .catch(next);
  };
}
