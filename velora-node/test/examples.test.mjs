// The examples, whole, as programs of their own.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Signer } from 'velora';
import { HEALTH_KEY, ROOT, run, SECRET, simulate, SINCE, temporary, UNTIL } from './support.mjs';

const example = (name) => join(ROOT, 'examples/node', name);

const EXAMPLES = [
  ['receiver.mjs', 'VELORA_HEALTH_SECRET', '/velora-health'],
  ...['fastify.mjs', 'hono.mjs'].map((name) => [name, 'VELORA_WEBHOOK_SECRET', '/velora-webhook']),
];
for (const [name, variable, path] of EXAMPLES) {
  test(`${name} receives`, async (context) => {
    const program = run(context, [example(name)], { PORT: '0', [variable]: SECRET });
    const [, port] = await program.prints(/listening on [^]*?(?:port: |127\.0\.0\.1:)(\d+)/);
    const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
    const url = `http://127.0.0.1:${port}${path}`;
    const post = async () => (await fetch(url, { method: 'POST', body, headers })).text();
    assert.deepEqual([await post(), await post()], ['processed', 'duplicate']);
    await program.prints(/phi\.read evt_1/);
  });
}

test('audit.mjs reads the API', async (context) => {
  const simulator = await simulate(context, '--events', '12345');
  const folder = temporary(context);
  const environment = { VELORA_API_KEY: HEALTH_KEY, VELORA_BASE_URL: simulator.url, VELORA_ENDPOINT: 'https://a.example/hook' };
  const program = run(context, [example('audit.mjs'), SINCE, UNTIL, join(folder, 'may.ndjson')], environment);
  assert.equal(await program.exit, 0);
  await program.prints(/12345 rows in \d+ leaves: proven whole/);
  await program.prints(/registered .* SigningSecret\(\.\.\)/);
});

test('backfill.mjs counts what was delivered before once', async (context) => {
  const simulator = await simulate(context, '--events', '50');
  const program = run(context, [example('backfill.mjs')], {
    PORT: '0', VELORA_WEBHOOK_SECRET: SECRET, VELORA_API_KEY: HEALTH_KEY, VELORA_BASE_URL: simulator.url,
    BACKFILL_SINCE: SINCE, BACKFILL_EVERY: '1',
  });
  await program.prints(/back-filled up to .*: 50 missed/);
  await program.prints(/back-filled up to .*: 0 missed/);
});
