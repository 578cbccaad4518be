// A server on Bun: bun run bun.mjs

import { MemoryStore, Receiver, Verifier } from 'velora-wasm';

const receiver = new Receiver({
  verifier: new Verifier('health', process.env['VELORA_WEBHOOK_SECRET']),
  store: new MemoryStore(),
  onEvent: (event) => console.log(event.type, event.id),
});

const port = Number(process.env['PORT'] ?? 8080);
const server = Bun.serve({ hostname: '127.0.0.1', port, fetch: (request) => receiver.handle(request) });
console.log(`listening on http://127.0.0.1:${server.port}`);
