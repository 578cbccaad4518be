// The blocks of the READMEs are run.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Signer } from 'velora';
import { blocks, finallyDo, HEALTH_KEY, holdsToTypes, ROOT, run, SECRET, servers, simulate, temporary } from './support.mjs';

/** In a folder of its own, within the package so that it is found. */
function block(context, script, environment) {
  const folder = temporary(context, join(ROOT, 'velora-node/target-readme-'));
  return run(context, ['--input-type=module', '--eval', script], environment, { cwd: folder });
}

const npm = blocks('velora-node/README.md');
const [RECEIVE, NEXT, VERIFY, ROTATE, OWN, READ, OTHERS, DEDUPLICATE] = npm;

async function delivered(context, script) {
  assert.ok(script.includes('.listen(8080)'));
  const onAnyPort = script.replace('.listen(8080)', ".listen(0, function () { console.log('port', this.address().port); })");
  const program = block(context, onAnyPort, { VELORA_WEBHOOK_SECRET: SECRET });
  const [, port] = await program.prints(/port (\d+)/);
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
  const response = await fetch(`http://127.0.0.1:${port}/velora-webhook`, { method: 'POST', body, headers });
  assert.equal(response.status, 200);
  await program.prints(/phi\.read evt_1/);
}

test('receive', (context) => delivered(context, RECEIVE));

test('a route of Next.js', async (context) => {
  // Its module is evaluated where there is no secret yet.
  const program = block(context, `${NEXT}
    const { Signer } = await import('velora');
    process.env.VELORA_WEBHOOK_SECRET = '${SECRET}';
    for (const outcome of ['processed', 'duplicate']) {
      const init = { method: 'POST', ...new Signer('health', '${SECRET}').sign('{"id":"evt_1","type":"phi.read"}') };
      console.log(await (await POST(new Request('http://a/', init))).text() === outcome);
    }
  `, { VELORA_WEBHOOK_SECRET: undefined });
  assert.deepEqual([await program.exit, program.printed()], [0, 'phi.read evt_1\ntrue\ntrue\n']);
});

test('only verify', async (context) => {
  const program = block(context, VERIFY);
  assert.deepEqual([await program.exit, program.printed()], [0, 'tv:evt_abc123 stream.online\n']);
});

test('rotate the secret', async (context) => {
  const program = block(context, ROTATE);
  assert.deepEqual([await program.exit, program.printed()], [0, '1\n']);
});

test('a system of your own', async (context) => {
  const program = block(context, `${OWN}
    const { Signer } = await import('velora');
    const { body, headers } = new Signer(shop, 'the-secret-of-the-shop').sign('{"eventId":"e1","orderId":"o1"}');
    console.log((await receiver.receive(body, headers)).outcome);
  `);
  assert.deepEqual([await program.exit, program.printed()], [0, 'o1\nprocessed\n']);
});

test('read the APIs', async (context) => {
  const simulator = await simulate(context, '--events', '1200');
  const program = block(context, READ, { VELORA_API_KEY: HEALTH_KEY, VELORA_BASE_URL: simulator.url });
  assert.equal(await program.exit, 0);
  assert.match(program.printed(), /1200 rows, proven whole\n$/);
});

test('the other systems', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  const there = OTHERS.replaceAll('apiKey })', 'apiKey, baseUrl })').replace('token })', 'token, baseUrl })');
  assert.equal(there.match(/baseUrl/g).length, 3);
  const program = block(context, `const baseUrl = '${simulator.url}';\n${there}
    await discrepancies('vb_live_0123456789abcdef', 'run_demo');
    console.log('secret', typeof await register('cae_test_0123456789abcdef', 'https://a.example/hook'));
    await watch('velora-tv-token-0123456789abcdef');`);
  await program.prints(/\}\nsecret string\n$/);
  // What is sent before the stream is open is not in it.
  const sending = setInterval(() => simulator.ask('POST', 'emit', { system: 'tv', type: 'stream.online' }), 100);
  finallyDo(context, () => clearInterval(sending));
  await program.prints(/\nstream\.online tv:.+\n/);
});

test('deduplicate by yourself', async (context) => {
  const program = block(context, `${DEDUPLICATE}\nif ((await store.claim('tv:evt_abc123')).state !== 'done') process.exit(1);`);
  assert.equal(await program.exit, 0);
});

test('exactly once', async (context) => {
  const places = servers();
  context.after(() => places.end());
  const received = npm.find((script) => script.includes('commitIn'));
  const opened = 'openStore(process.env.DATABASE_URL)';
  assert.ok(received.includes(opened));
  const program = block(context, `${received.replace(opened, 'openStore(process.env.DATABASE_URL, { timeout: 30 })')}
    const { Signer } = await import('velora');
    await pool.query('CREATE TABLE reads (id text)');
    const { body, headers } = new Signer('health', process.env.VELORA_WEBHOOK_SECRET).sign('{"id":"evt_1","type":"phi.read"}');
    const outcomes = [await receive(body, headers), await receive(body, headers)].map(({ outcome }) => outcome);
    console.log(outcomes.join(), (await pool.query('SELECT id FROM reads')).rows);
    process.exit();
  `, { VELORA_WEBHOOK_SECRET: SECRET, DATABASE_URL: await places.url('postgres') });
  assert.equal(await program.exit, 0);
  assert.equal(program.printed(), "processed,duplicate [ { id: 'evt_1' } ]\n");
});

test('what the READMEs have holds to the types', () => holdsToTypes('velora-node', [...npm, ...blocks('README.md')]));

test('the quickstart of the project', (context) => delivered(context, blocks('README.md')[0]));
