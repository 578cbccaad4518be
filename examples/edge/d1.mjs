// A Cloudflare worker that receives Velora Health, and keeps its claims in a table of D1. Each
// statement contains its condition, so of any number of simultaneous deliveries exactly one is
// fresh. The table is in `d1.sql`.
//
//     # wrangler.toml
//     [[d1_databases]]
//     binding = "CLAIMS"
//     database_name = "claims"
//     database_id = "…"
//     [triggers]
//     crons = ["0 * * * *"]

import { Receiver, Store, StoreError, Verifier } from 'velora-wasm';

const LEASE = 60_000;
const RETENTION = 72 * 3600_000;

// The clock of the database: those of the workers need not agree. It gives the epochs too, so that
// none is issued twice, not even of a key that was forgotten meanwhile.
const NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const CLAIM = `
  INSERT INTO claims (key, epoch, state, until) VALUES (?1, ${NOW}, 'claimed', ${NOW} + ?2)
  ON CONFLICT (key) DO UPDATE SET epoch = MAX(epoch + 1, excluded.epoch), state = 'claimed', until = excluded.until
  WHERE state = 'free' OR until <= ${NOW}
  RETURNING epoch`;
const STANDING = `SELECT state, until - ${NOW} AS remaining FROM claims WHERE key = ?1`;
const HELD = "WHERE key = ?1 AND epoch = ?2 AND state = 'claimed'";
const COMMIT = `UPDATE claims SET state = 'done', until = ${NOW} + ?3 ${HELD}`;
const RELEASE = `UPDATE claims SET state = 'free' ${HELD}`;
const RENEW = `UPDATE claims SET until = ${NOW} + ?3 ${HELD}`;
// A lease that has expired can still be committed until someone takes the claim over.
const CLEAN_UP = `DELETE FROM claims WHERE until <= ${NOW} - CASE state WHEN 'done' THEN 0 ELSE ?1 END`;

/** A store whose claims are the rows of a table. */
export function d1Store(db, { lease = LEASE } = {}) {
  const end = async (statement, ...values) => {
    const { meta } = await db.prepare(statement).bind(...values).run();
    if (meta.changes === 0) {
      throw new StoreError('lease_lost', 'another delivery took the claim over');
    }
  };
  return Store.of({
    async claim(key) {
      // Together they are one transaction.
      const [claimed, standing] = await db.batch([db.prepare(CLAIM).bind(key, lease), db.prepare(STANDING).bind(key)]);
      if (claimed.results.length > 0) {
        return { state: 'fresh', epoch: claimed.results[0].epoch };
      }
      const { state, remaining } = standing.results[0];
      return state === 'done' ? { state } : { state: 'in_flight', retryAfter: Math.max(remaining, 0) / 1000 };
    },
    commit: (key, epoch) => end(COMMIT, key, epoch, RETENTION),
    release: (key, epoch) => end(RELEASE, key, epoch),
    renew: (key, epoch) => end(RENEW, key, epoch, lease),
  });
}

let receiver;

export default {
  fetch(request, env, context) {
    receiver ??= new Receiver({
      verifier: new Verifier('health', env.VELORA_WEBHOOK_SECRET),
      store: d1Store(env.CLAIMS),
      onEvent: handle,
    });
    // A worker is stopped when the sender hangs up; with the context, work in progress goes on.
    return receiver.handle(request, context);
  },

  /** Forgets keys whose time is over. */
  async scheduled(_controller, env) {
    await env.CLAIMS.prepare(CLEAN_UP).bind(RETENTION).run();
  },
};

/** Runs once for each event. If it throws, the event comes again. */
async function handle(event) {
  console.log(event.type, event.id);
}
