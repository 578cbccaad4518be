// Receives Velora Health's deliveries with Next.js, on its Node.js runtime.
//
//     VELORA_WEBHOOK_SECRET=… npx next dev examples/node/next

import { MemoryStore, Receiver, Verifier } from 'velora';
import { deliveries } from 'velora/next';

const receiver = new Receiver({
  verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
  store: new MemoryStore(),
  onEvent: async (event) => console.log(event.type, event.id),
});
export const POST = deliveries(receiver);
