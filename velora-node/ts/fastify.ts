/**
 * A plugin for Fastify.
 *
 * ```js
 * await app.register(deliveries, { url: '/velora-webhook', receiver });
 * ```
 *
 * Within it no body is parsed; the rest of the application keeps its parsers.
 */

import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { receiveIncoming, written } from './incoming.js';
import { invalidOption, text } from './options.js';
import { Receiver } from './receiver.js';

const REMEDY = 'register the plugin where no hook or middleware reads or decodes it';

/** Where deliveries are received. */
export interface DeliveriesOptions {
  /** The path of the route. */
  url: string;
  /** The receiver, with an `onEvent`. */
  receiver: Receiver<any>;
}

/**
 * Serves a `POST` route that answers each request with the receiver's reply. Throws
 * `invalid_option` if the receiver has no `onEvent`, if there is no `url`, or if this plugin is
 * used as a route handler.
 */
export const deliveries: FastifyPluginAsync<DeliveriesOptions> = (app, options) => {
  // Fastify always passes options to a plugin, even if there are none.
  if (typeof options !== 'object') {
    throw invalidOption('this is a plugin: app.register(deliveries, { url, receiver })');
  }
  return mount(app, options);
};

async function mount(app: FastifyInstance, { url, receiver }: DeliveriesOptions): Promise<void> {
  Receiver.handler(receiver);
  const path = text('url', url);
  app.removeAllContentTypeParsers();
  // Fastify would answer an invalid media type with 415, which a sender may take as final.
  app.addHook('onRequest', async (request) => {
    request.headers['content-type'] = 'application/octet-stream';
  });
  // The body stays unread, because the receiver applies its own limit.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post(path, async (request, response) => {
    const reply = await receiveIncoming(receiver, request.raw, REMEDY);
    const { headers, text } = written(reply);
    return response.code(reply.status).headers(headers).send(text);
  });
}
