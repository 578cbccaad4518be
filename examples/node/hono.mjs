// Receives Velora Health's deliveries with Hono.
//
//     VELORA_WEBHOOK_SECRET=… node examples/node/hono.mjs

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { MemoryStore, Receiver, Verifier } from 'velora';
import { deliveries } from 'velora/hono';

const app = new Hono();
const receiver = new Receiver({
  verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
  store: new MemoryStore(),
  onEvent: async (event) => console.log(event.type, event.id),
});
app.post('/velora-webhook', deliveries(receiver));
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8080), hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});
