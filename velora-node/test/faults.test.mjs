// Faults of the simulator, for the other clients, and what holds for all of them: the exact
// rows, each once, or the core's code. Each fault has a simulator of its own, so that what is
// left of one call never meets the next. The expectations are those of the core's own tests.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { billing, curae, health, tv } from 'velora';
import { fault, OF_EVENTS, options, verdict, WHOLE } from './faulty.mjs';
import { HEALTH_KEY, ROOT, simulate, temporary, WEEK } from './support.mjs';

// What becomes of a table, and of a log.
const OF_BILLING = {
  rate_limited_bare: [WHOLE, WHOLE], rate_limited_hour: ['rate_limited', 'rate_limited'], 'status=503': [WHOLE, WHOLE],
  'status=404': ['not_found', 'not_found'], reset: [WHOLE, WHOLE], hang: [WHOLE, WHOLE],
  // Behind the first row there is no going back.
  cut_length: ['connection', WHOLE], cut_chunked: ['connection', WHOLE], cut_row: ['connection', WHOLE], cut_reset: ['connection', WHOLE],
  stall: ['timeout', WHOLE], gzip: [WHOLE, WHOLE], 'gzip_bomb=64': ['response_too_large', 'response_too_large'],
  wrong_content_type: [WHOLE, WHOLE], not_json: ['malformed_response', 'malformed_response'], pretty: [WHOLE, WHOLE],
  repeat_cursor: [WHOLE, 'cursor_loop'], empty_page: [WHOLE, WHOLE], duplicate_rows: [WHOLE, WHOLE],
  redirect: ['unexpected_redirect', 'unexpected_redirect'],
};

for (const [name, [ofTable, ofLog]] of Object.entries(OF_BILLING)) {
  test(`tables and logs: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '1', '--billing-csv-records', '3000');
    const client = (more) => new billing.Client({ apiKey: 'vb_live_0123456789abcdef', ...options(name, simulator.url, more) });
    const line = (row) => row.lineId;
    const lines = [];
    const patient = client({ readTimeout: 20 });
    for await (const row of patient.auditCsv('run_demo')) {
      lines.push(line(row));
    }
    const { id } = JSON.parse(await simulator.ask('POST', 'endpoints', { system: 'billing', url: 'https://example.com' }));
    await simulator.ask('POST', `endpoints/${id}/history`, { count: 700, ok: false, retained: true });
    const ids = (await patient.deliveries(id, { limit: 200 }).toArray()).map((delivery) => delivery.id);
    assert.deepEqual([lines.length, new Set(ids).size], [3000, 700]);

    // What one is asked to wait for, all calls of a client wait for.
    const limited = () => client({ maxResponseBytes: 8 << 20 });
    await simulator.arm(fault(name, { path: '/api/audits/*' }));
    assert.equal(await verdict(limited().auditCsv('run_demo'), lines, line), ofTable);
    await simulator.arm(fault(name, { path: '/api/webhooks/*', skip: 1 }));
    assert.equal(await verdict(limited().deliveries(id, { limit: 200 }), ids, (delivery) => delivery.id), ofLog);
  });
}

// What becomes of CuraeAI's endpoints, and of Velora TV's stream from the first connection on.
const OF_ENDPOINTS = {
  'rate_limited=1': WHOLE, rate_limited_hour: 'rate_limited', 'status=500': WHOLE, 'status=503': WHOLE, 'status=401': 'unauthorized',
  'status=403': 'forbidden', 'status=409': 'conflict', reset: WHOLE, reset_after: WHOLE, hang: WHOLE, cut_length: WHOLE, cut_chunked: WHOLE,
  stall: WHOLE, gzip: WHOLE, 'gzip_bomb=64': 'response_too_large', not_json: 'malformed_response', pretty: WHOLE,
  redirect: 'unexpected_redirect',
};
const OF_STREAM = {
  'rate_limited=1': 'connected', 'status=503': 'connected', 'status=401': 'unauthorized', 'status=403': 'forbidden', reset: 'connected',
  hang: 'connected', redirect: 'unexpected_redirect',
};

for (const [name, wanted] of Object.entries(OF_ENDPOINTS)) {
  test(`curae: endpoints: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '1');
    const webhooks = (more) => new curae.Client({ apiKey: 'cae_test_0123456789abcdef', ...options(name, simulator.url, more) }).webhooks;
    const ids = [];
    for (const at of [1, 2, 3]) {
      const { endpoint } = await webhooks({ readTimeout: 20 }).create({ url: `https://a.example/${at}`, eventTypes: ['import.completed'] });
      ids.push(endpoint.id);
    }
    await simulator.arm(fault(name, {}));
    assert.equal(await verdict(webhooks({ maxResponseBytes: 1 << 20 }).list({ limit: 2 }), ids, ({ id }) => id), wanted);
  });
}

for (const [name, wanted] of Object.entries(OF_STREAM)) {
  test(`tv: the stream: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '1');
    const client = new tv.Client({ token: 'velora-tv-token-0123456789abcdef', ...options(name, simulator.url) });
    await simulator.arm(fault(name, {}));
    const stream = client.events();
    const first = stream.next().then(({ value }) => value.kind, (error) => error.code);
    assert.equal(await first, wanted);
    await stream.return();
  });
}

test('no client follows a redirect', async (context) => {
  const simulator = await simulate(context, '--events', '10');
  await simulator.arm({ kind: 'redirect', always: true });
  const base = { baseUrl: simulator.url };
  const calls = [
    () => new health.Client({ apiKey: HEALTH_KEY, ...base }).probe(),
    () => new billing.Client({ apiKey: 'vb_live_0123456789abcdef', ...base }).retryDelivery('del_1'),
    () => new curae.Client({ apiKey: 'cae_test_0123456789abcdef', ...base }).webhooks.get('whe_1'),
    () => new tv.Client({ token: 'velora-tv-token-0123456789abcdef', ...base }).events().next(),
  ];
  for (const call of calls) {
    await assert.rejects(call, { code: 'unexpected_redirect', status: 302, attempts: 1 });
  }
  const requests = await simulator.requests();
  assert.ok(requests.length === 4 && !requests.some((request) => request.other_host));
});

test('a signal ends a call, a list and an export', async (context) => {
  const path = join(temporary(context), 'aborted.ndjson');
  const calls = [
    (client, signal) => client.probe({ signal }), (client, signal) => client.events(WEEK, { signal }).toArray(),
    (client, signal) => client.export(WEEK, { signal }).toArray(), (client, signal) => client.webhooks.list({ signal }),
    (client, signal) => client.exportToFile(WEEK, path, { signal }),
  ];
  const simulator = await simulate(context, '--events', '5000');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  await simulator.arm({ kind: 'hang', always: true });
  for (const call of calls) {
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(call(client, controller.signal), reason);
    await assert.rejects(call(client, AbortSignal.abort(reason)), reason);
  }
  await assert.rejects(client.probe({ signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
});

test('one signal ends many calls, and has one listener as long as there are any', async (context) => {
  const simulator = await simulate(context, '--events', '10');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const controller = new AbortController();
  const listeners = () => getEventListeners(controller.signal, 'abort').length;
  const calls = () => Array.from({ length: 12 }, () => client.probe({ signal: controller.signal }));
  const answered = calls();
  assert.equal(listeners(), 1);
  await Promise.all(answered);
  assert.equal(listeners(), 0);
  await simulator.arm({ kind: 'hang', always: true });
  const ended = calls();
  const reason = new Error('enough');
  controller.abort(reason);
  for (const { reason: error } of await Promise.allSettled(ended)) {
    assert.equal(error, reason);
  }
  assert.equal(listeners(), 0);
});

test('every fault of the simulator is here', () => {
  const readme = readFileSync(join(ROOT, 'examples/simulator/README.md'), 'utf8');
  const table = readme.split('| fault, and its default value |')[1].split('\n\n')[0];
  const rows = table.split('\n').filter((row) => row.startsWith('| `'));
  const named = rows.flatMap((row) => row.split('|')[1].split(',')).map((word) => word.replaceAll(/[` ]/g, '').split('=')[0]);
  const here = new Set([...Object.keys(OF_EVENTS), ...Object.keys(OF_BILLING)].map((name) => name.split('=')[0]));
  assert.ok(named.length > 25);
  assert.deepEqual(named.filter((name) => !here.has(name)).toSorted(), ['drip', 'no_truncation_header']);
});
