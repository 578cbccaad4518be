// Receives Velora Health's deliveries with Next.js, on its Node.js runtime. To try it with the
// package of this repository, which `make pack-node` builds, run in this folder:
//
//     npm install --prefix . --no-save next react react-dom ../../../target/npm/velora-*.tgz
//     VELORA_WEBHOOK_SECRET=… npx next dev

import { MemoryStore, Receiver, Verifier } from 'velora';
import { deliveries } from 'velora/next';

let post;

/** @param {Request} request */
export function POST(request) {
  // Next.js also evaluates this module when it builds, when the secret may not be set.
  post ??= deliveries(
    new Receiver({
      verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
      store: new MemoryStore(),
      onEvent: async (event) => console.log(event.type, event.id),
    }),
  );
  return post(request);
}
