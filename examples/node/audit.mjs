// The flows of the audit API: probe, list, export with progress, register an endpoint.
//
//     VELORA_API_KEY=… node examples/node/audit.mjs 2026-05-01T00:00:00Z 2026-05-08T00:00:00Z may.ndjson
//
// VELORA_BASE_URL is the URL of another API, such as the simulator's. If the program is stopped at
// any point, the same command resumes the export.

import { ApiError, health } from 'velora';

const [since, until, path] = process.argv.slice(2);
if (since === undefined || until === undefined || path === undefined) {
  console.error('usage: audit.mjs SINCE UNTIL FILE');
  process.exit(2);
}

const client = health.Client.fromEnv();
try {
  await client.probe();
  console.log('key, scope and URL match');

  let listed = 0;
  for await (const event of client.events({ since, until, phiInvolved: true })) {
    listed += 1;
    if (listed <= 3) {
      console.log(event.timestamp, event.action, event.resourceType);
    }
  }
  console.log(`${listed} events that involve PHI`);

  /** @param {health.Progress} progress */
  const onProgress = ({ rows, leaves }) => process.stderr.write(`\r${rows} rows from ${leaves} windows`);
  const manifest = await client.exportToFile({ since, until }, path, { onProgress });
  await manifest.verify(path);
  process.stderr.write('\n');
  const proven =
    manifest.completeUntil === manifest.until
      ? 'proven whole'
      : `whole until ${manifest.completeUntil}; the window has not ended, the next call adds the rest`;
  console.log(`${manifest.rows} rows in ${manifest.leaves.length} leaves: ${proven}`);

  const endpoint = process.env.VELORA_ENDPOINT;
  if (endpoint !== undefined) {
    const { endpoint: made, secret } = await client.webhooks.create({ url: endpoint, eventFilter: ['phi.'] });
    // Shown only once: put `secret.exposeSecret()` into your secret manager, not into a log.
    console.log(`registered ${made.id}`, secret);
  }
} catch (error) {
  console.error(error instanceof ApiError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
}
