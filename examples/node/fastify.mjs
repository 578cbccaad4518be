// Receives Velora Health's deliveries with Fastify.
//
//     VELORA_WEBHOOK_SECRET=… node examples/node/fastify.mjs

import fastify from 'fastify';
import { MemoryStore, Receiver, Verifier } from 'velora';
import { deliveries } from 'velora/fastify';

const app = fastify();
const receiver = new Receiver({
  verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
  store: new MemoryStore(),
  onEvent: async (event) => console.log(event.type, event.id),
  onError: (error) => app.log.error(error),
});
await app.register(deliveries, { url: '/velora-webhook', receiver });
console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' })}`);
