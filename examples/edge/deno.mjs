// A server on Deno: deno run --allow-net --allow-env deno.mjs

import { MemoryStore, Receiver, Verifier } from 'velora-wasm';

const receiver = new Receiver({
  verifier: new Verifier('health', Deno.env.get('VELORA_WEBHOOK_SECRET')),
  store: new MemoryStore(),
  onEvent: (event) => console.log(event.type, event.id),
});

const port = Number(Deno.env.get('PORT') ?? 8080);
const server = Deno.serve({ hostname: '127.0.0.1', port, onListen: () => {} }, (request) => receiver.handle(request));
console.log(`listening on http://127.0.0.1:${server.addr.port}`);
