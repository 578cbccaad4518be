// An edge function in the style of Vercel's: `api/velora.js`.

import { MemoryStore, Receiver, Verifier } from 'velora-wasm';

export const config = { runtime: 'edge' };

const receiver = new Receiver({
  verifier: new Verifier('tv', process.env.VELORA_WEBHOOK_SECRET),
  // In the memory of one isolate. To share claims between isolates, use a store of your own.
  store: new MemoryStore(),
  onEvent: (event) => console.log(event.type, event.id),
});

export default function handler(request, context) {
  return receiver.handle(request, context);
}
