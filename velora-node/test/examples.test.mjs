// The examples, run unchanged as programs.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
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
  const [row] = await simulator.truth('rows');
  const { event_id: id, action: type } = JSON.parse(row);
  // The audit API answers once the delivery has been handled.
  let open;
  const delivered = new Promise((resolve) => { open = resolve; });
  const gate = createServer(async (socket) => {
    await delivered;
    const api = connect(new URL(simulator.url).port, '127.0.0.1');
    pipeline(socket, api, socket, () => {});
  }).listen(0, '127.0.0.1');
  context.after(() => gate.close());
  await once(gate, 'listening');

  const program = run(context, [example('backfill.mjs')], {
    PORT: '0', VELORA_WEBHOOK_SECRET: SECRET, VELORA_API_KEY: HEALTH_KEY, VELORA_BASE_URL: `http://127.0.0.1:${gate.address().port}`,
    BACKFILL_SINCE: SINCE, BACKFILL_EVERY: '1',
  });
  const [, port] = await program.prints(/listening on [^]*?port: (\d+)/);
  const { body, headers } = new Signer('health', SECRET).sign(JSON.stringify({ id, type }));
  const response = await fetch(`http://127.0.0.1:${port}/velora-webhook`, { method: 'POST', body, headers });
  assert.equal(await response.text(), 'processed');
  open();
  const [, ...missed] = await program.prints(/: (\d+) missed\n[^]*?: (\d+) missed\n/);
  assert.deepEqual(missed, ['49', '0']);
  const handled = program.printed().split('\n').filter((line) => line.endsWith(` ${id}`));
  assert.deepEqual(handled, [`delivered ${type} ${id}`]);
});
