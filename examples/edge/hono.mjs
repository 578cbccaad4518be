// Hono on any edge: `export default app` is what workerd, Deno and Bun serve.

import { Hono } from 'hono';
import { env } from 'hono/adapter';
import { MemoryStore, Receiver, Verifier } from 'velora-wasm';
import { deliveries } from 'velora-wasm/hono';

const app = new Hono();
let receiver;

app.post('/velora-webhook', (context, next) => {
  // This store is in the memory of one isolate: with several, use a Durable Object.
  receiver ??= new Receiver({
    verifier: new Verifier('curae', env(context).VELORA_WEBHOOK_SECRET),
    store: new MemoryStore(),
    onEvent: (event) => console.log(event.eventType, event.eventId),
  });
  return deliveries(receiver)(context, next);
});

export default app;
