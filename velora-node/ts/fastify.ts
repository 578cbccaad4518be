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

/** Where deliveries are received. */
export interface DeliveriesOptions {
  /** The path of the route. */
  url: string;
  /** What answers. Which events its handler takes is between the two of them. */
  receiver: Receiver<any>;
}

/**
 * Serves a `POST` route that answers each request as the receiver says. Throws `invalid_option`
 * where it is none that has an `onEvent`, where there is no `url`, and where it is called as the
 * handler of a route.
 */
export const deliveries: FastifyPluginAsync<DeliveriesOptions> = (app, options) => {
  // Fastify gives a plugin options, whether there are any or not.
  if (typeof options !== 'object') {
    throw invalidOption('this is a plugin: app.register(deliveries, { url, receiver })');
  }
  return mount(app, options);
};

async function mount(app: FastifyInstance, { url, receiver }: DeliveriesOptions): Promise<void> {
  Receiver.handler(receiver);
  const path = text('url', url);
  app.removeAllContentTypeParsers();
  // What is not a media type would be Fastify's 415, which a sender may take as final.
  app.addHook('onRequest', async (request) => {
    request.headers['content-type'] = 'application/octet-stream';
  });
  // The body stays unread: the limit and its answer are the receiver's.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post(path, async (request, response) => {
    const reply = await receiveIncoming(receiver, request.raw);
    const { headers, text } = written(reply);
    return response.code(reply.status).headers(headers).send(text);
  });
}
