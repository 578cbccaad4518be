// Closes gaps: receives Velora Health's deliveries, and regularly exports the events that should
// have been delivered, so that an outage loses no event since `BACKFILL_SINCE`. Both go through one
// store, so each event counts once, whichever way it came first.
//
//     VELORA_API_KEY=… VELORA_WEBHOOK_SECRET=… node examples/node/backfill.mjs
//
// `BACKFILL_SINCE` is the time to start from (by default an hour ago), `BACKFILL_EVERY` how often to
// export, in seconds (300), `PORT` the port to listen on (8080), `VELORA_BASE_URL` the URL of the API
// if it is not the vendor's. Here the claims and the end of the last back-fill are in the memory of
// this process. In your own service, keep both in a database.

import { createServer } from 'node:http';
import express from 'express';
import { MemoryStore, Receiver, Verifier, health } from 'velora';
import { deliveries } from 'velora/express';

/** Each back-fill begins this much before the end of the last one. */
const OVERLAP_MS = 15 * 60_000;
const EVERY_MS = Number(process.env.BACKFILL_EVERY ?? 300) * 1000;

const receiver = new Receiver({
  verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
  store: new MemoryStore(),
  onEvent: (event) => handle('delivered', event.id, event.type),
});
const server = createServer(express().post('/velora-webhook', deliveries(receiver)));
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => console.log('listening on', server.address()));

const client = health.Client.fromEnv();
let since = new Date(process.env.BACKFILL_SINCE ?? Date.now() - 3_600_000);
for (;;) {
  const until = new Date();
  try {
    const missed = await backfill(since, until);
    console.log(`back-filled up to ${until.toISOString()}: ${missed} missed`);
    since = new Date(until.getTime() - OVERLAP_MS);
  } catch (error) {
    // The next back-fill begins where this one began, so nothing is skipped.
    console.error('back-fill:', error);
  }
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}

/**
 * Handles every event of the window that has not been handled yet, and counts them.
 *
 * @param {Date} from
 * @param {Date} to
 */
async function backfill(from, to) {
  let missed = 0;
  // The export and not the listing, because it is proven to be complete.
  for await (const event of client.export({ since: from, until: to })) {
    if (event.key === null) {
      throw new Error('an event without an identity');
    }
    let outcome;
    do {
      ({ outcome } = await receiver.backfill(event.key, () => handle('back-filled', event.eventId, event.action)));
      // Its delivery is being handled right now: wait for the outcome.
    } while (outcome === 'in_flight' && (await new Promise((resolve) => setTimeout(resolve, 1000, true))));
    if (outcome !== 'processed' && outcome !== 'duplicate') {
      throw new Error(outcome);
    }
    missed += outcome === 'processed' ? 1 : 0;
  }
  return missed;
}

/**
 * The actual work. It runs once for each event, whichever way the event came.
 *
 * @param {'delivered' | 'back-filled'} how
 * @param {string | null} id
 * @param {string | null} type
 */
function handle(how, id, type) {
  console.log(how, type, id);
}
