// Receives the deliveries of all four systems with Express. Copy this file and keep the
// routes that you need.
//
//     VELORA_HEALTH_SECRET=… node examples/node/receiver.mjs
//
// Each system has a variable for its signing secret: VELORA_HEALTH_SECRET,
// VELORA_BILLING_SECRET, VELORA_CURAE_SECRET, VELORA_TV_SECRET. An endpoint is served for each
// that is set. During a rotation set both secrets, separated by a comma. (Programs that receive
// one system only call the variable VELORA_WEBHOOK_SECRET.) PORT is the port to listen on (8080).

import express from 'express';
import { MemoryStore, Receiver, Verifier } from 'velora';
import { deliveries } from 'velora/express';

// One store serves all systems, because their keys never collide. This one is in the memory of
// this process.
const store = new MemoryStore();
const app = express();

serve('/velora-health', 'health', 'VELORA_HEALTH_SECRET', (event) => {
  console.log('health', event.type, event.id);
});
serve('/velora-billing', 'billing', 'VELORA_BILLING_SECRET', (event) => {
  // The type may come from an unsigned header: do not rely on it alone.
  console.log('billing', event.type, event.typeIsSigned ? '' : '(unsigned)');
});
serve('/curaeai', 'curae', 'VELORA_CURAE_SECRET', (event) => {
  console.log('curae', event.eventType, event.eventId);
});
serve('/velora-tv', 'tv', 'VELORA_TV_SECRET', (event) => {
  console.log('tv', event.type, event.type === 'stream.online' ? event.data?.streamId : event.id);
});

/**
 * Each handler runs once for each event. If it throws, the event comes again.
 *
 * @template {import('velora').SchemeName} S
 * @param {string} path
 * @param {S} scheme
 * @param {string} variable
 * @param {import('velora').Handler<import('velora').EventOf<S>>} onEvent
 */
function serve(path, scheme, variable, onEvent) {
  const secrets = process.env[variable];
  if (secrets !== undefined) {
    const verifier = new Verifier(scheme, secrets.split(','));
    const onError = (/** @type {unknown} */ error) => console.error(`${scheme}:`, error);
    app.post(path, deliveries(new Receiver({ verifier, store, onEvent, onError })));
    console.log(`serving ${path}`);
  }
}

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
