// Every fault of the simulator: the exact rows, each once, or the core's code for it. Each
// fault has a simulator of its own, so that what is left of one call never meets the next.
// The expectations are those of the core's own tests of its clients.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApiError, billing, curae, health, tv } from 'velora';
import { HEALTH_KEY, ROOT, simulate, temporary, WEEK } from './support.mjs';

const WHOLE = 'whole';
const EVENTS = '/api/v2/public/audit/events';
const EXPORT = '/api/v2/public/audit/export';
const BACKOFF = { base: 0.001, max: 0.002 };

// What becomes of a listing, and of an export.
const OF_EVENTS = {
  'rate_limited=1': [WHOLE, WHOLE], 'rate_limited_date=1': [WHOLE, WHOLE], rate_limited_bare: [WHOLE, WHOLE],
  rate_limited_hour: ['rate_limited', 'rate_limited'], 'status=500': [WHOLE, WHOLE], 'status=503': [WHOLE, WHOLE],
  'status=400': ['invalid_request', 'invalid_request'], 'status=401': ['unauthorized', 'unauthorized'],
  'status=403': ['forbidden', 'forbidden'], 'status=404': ['not_found', 'not_found'], 'status=409': ['conflict', 'conflict'],
  'status=422': ['invalid_request', 'invalid_request'], reset: [WHOLE, WHOLE], reset_after: [WHOLE, WHOLE], hang: [WHOLE, WHOLE],
  'latency=50': [WHOLE, WHOLE], cut_length: [WHOLE, WHOLE], cut_chunked: [WHOLE, WHOLE], cut_row: [WHOLE, WHOLE],
  cut_reset: [WHOLE, WHOLE], stall: [WHOLE, WHOLE], endless: ['response_too_large', WHOLE], gzip: [WHOLE, WHOLE],
  'gzip_bomb=64': ['response_too_large', WHOLE], wrong_content_type: [WHOLE, WHOLE],
  not_json: ['malformed_response', 'malformed_response'], bad_row: ['malformed_response', 'malformed_response'],
  pretty: [WHOLE, WHOLE], 'truncation_header=yes': [WHOLE, WHOLE], repeat_cursor: ['cursor_loop', WHOLE],
  loop_cursor: ['cursor_loop', WHOLE], no_cursor: ['cursor_loop', WHOLE], empty_page: [WHOLE, WHOLE], duplicate_rows: [WHOLE, WHOLE],
  redirect: ['unexpected_redirect', 'unexpected_redirect'], redirect_307: ['unexpected_redirect', 'unexpected_redirect'],
  redirect_308: ['unexpected_redirect', 'unexpected_redirect'],
};

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

// Those that once are none.
const AGAIN = ['loop_cursor', 'not_json', 'bad_row'];
// Those that are noticed by waiting; with all others nobody is in a hurry.
const WAITED_FOR = ['hang', 'stall'];

function fault(name, more) {
  const [kind, text] = name.split('=');
  const value = text === undefined ? {} : { value: /^\d+$/.test(text) ? Number(text) : text };
  return { kind, ...value, ...(AGAIN.includes(kind) ? { always: true } : {}), ...more };
}

function options(name, url, more) {
  return { baseUrl: url, backoff: BACKOFF, readTimeout: WAITED_FOR.includes(name) ? 1 : 20, ...more };
}

/** What came of it; a part of the rows, or one twice, is none of the allowed answers. */
async function verdict(rows, truth, text) {
  const read = [];
  try {
    for await (const row of rows) {
      read.push(text(row));
    }
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.code;
  }
  return JSON.stringify(read.toSorted()) === JSON.stringify(truth.toSorted()) ? WHOLE : `${read.length} of ${truth.length} rows`;
}

const plain = (event) => event.raw;
/** Without what a pretty printer puts between the tokens. */
const compact = (event) => JSON.stringify(JSON.parse(event.raw));

for (const [name, [ofListing, ofExport]] of Object.entries(OF_EVENTS)) {
  // A cap that is low makes few events many pages and leaves.
  const start = (context) => simulate(context, '--events', '2345', '--export-cap', '500');
  const client = ({ url }) => new health.Client({ apiKey: HEALTH_KEY, ...options(name, url, { maxResponseBytes: 1 << 20 }) });

  test(`lists: ${name}`, async (context) => {
    const simulator = await start(context);
    const truth = await simulator.truth('rows');
    await simulator.arm(fault(name, { path: EVENTS, skip: 2 }));
    const [text, wanted] = name === 'pretty' ? [compact, truth.map((raw) => compact({ raw }))] : [plain, truth];
    assert.equal(await verdict(client(simulator).events({ ...WEEK, limit: 250 }), wanted, text), ofListing);
  });

  test(`exports: ${name}`, async (context) => {
    const simulator = await start(context);
    const truth = await simulator.truth('rows');
    await simulator.arm(fault(name, { path: EXPORT, skip: 3 }));
    assert.equal(await verdict(client(simulator).export(WEEK), truth, plain), ofExport);
  });
}

for (const [name, [ofTable, ofLog]] of Object.entries(OF_BILLING)) {
  test(`tables and logs: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '1', '--billing-csv-records', '3000');
    const client = (more) => new billing.Client({ apiKey: 'vb_live_0123456789abcdef', ...options(name, simulator.url, more) });
    const line = (row) => row.lineId;
    const lines = [];
    for await (const row of client().auditCsv('run_demo')) {
      lines.push(line(row));
    }
    const { id } = JSON.parse(await simulator.ask('POST', 'endpoints', { system: 'billing', url: 'https://example.com' }));
    await simulator.ask('POST', `endpoints/${id}/history`, { count: 700, ok: false, retained: true });
    const ids = (await client().deliveries(id, { limit: 200 }).toArray()).map((delivery) => delivery.id);
    assert.deepEqual([lines.length, new Set(ids).size], [3000, 700]);

    const limited = client({ maxResponseBytes: 8 << 20 });
    await simulator.arm(fault(name, { path: '/api/audits/*' }));
    assert.equal(await verdict(limited.auditCsv('run_demo'), lines, line), ofTable);
    await simulator.arm(fault(name, { path: '/api/webhooks/*', skip: 1 }));
    assert.equal(await verdict(limited.deliveries(id, { limit: 200 }), ids, (delivery) => delivery.id), ofLog);
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
    const more = { maxResponseBytes: 1 << 20 };
    const { webhooks } = new curae.Client({ apiKey: 'cae_test_0123456789abcdef', ...options(name, simulator.url, more) });
    const ids = [];
    for (const at of [1, 2, 3]) {
      const { endpoint } = await webhooks.create({ url: `https://a.example/${at}`, eventTypes: ['import.completed'] });
      ids.push(endpoint.id);
    }
    await simulator.arm(fault(name, {}));
    assert.equal(await verdict(webhooks.list({ limit: 2 }), ids, ({ id }) => id), wanted);
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

for (const name of ['no_truncation_header', 'truncation_header=TRUE', 'truncation_header=maybe']) {
  test(`the cap is known though nobody names it: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '12000');
    await simulator.arm(fault(name, { path: EXPORT, always: true }));
    const client = new health.Client({ apiKey: HEALTH_KEY, ...options(name, simulator.url) });
    assert.equal(await verdict(client.export(WEEK), await simulator.truth('rows'), plain), WHOLE);
  });
}

for (const name of ['status=503', 'cut_chunked', 'cut_row', 'reset']) {
  test(`again and again is survived: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '2345', '--export-cap', '500');
    const truth = await simulator.truth('rows');
    await simulator.arm(fault(name, { every: 3 }));
    const client = new health.Client({ apiKey: HEALTH_KEY, ...options(name, simulator.url, { attempts: 20 }) });
    assert.equal(await verdict(client.events({ ...WEEK, limit: 250 }), truth, plain), WHOLE);
    assert.equal(await verdict(client.export(WEEK), truth, plain), WHOLE);
  });
}

for (const [name, code] of Object.entries({ empty_page: 'cursor_loop', 'status=500': 'server_error', hang: 'timeout', 'drip=20': 'timeout' })) {
  test(`what stays is reported: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '2345', '--export-cap', '500');
    const hurry = code === 'timeout' ? { readTimeout: 0.1, callTimeout: 0.6 } : {};
    const client = new health.Client({ apiKey: HEALTH_KEY, ...options(name, simulator.url, hurry) });
    await simulator.arm(fault(name, { path: EVENTS, always: true }));
    assert.equal(await verdict(client.events(WEEK), [], plain), code);
  });
}

test('an error tells what is known', async (context) => {
  const simulator = await simulate(context, '--events', '10');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  await simulator.arm({ kind: 'rate_limited_hour' });
  await assert.rejects(client.probe(), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.status, error.retryAfter, error.isRetryable], ['rate_limited', 429, 3600, true]);
    assert.equal(typeof error.requestId, 'string');
    assert.ok(error.raw.length > 0 && Array.isArray(error.issues));
    return true;
  });
});

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

test('every fault of the simulator is here', () => {
  const readme = readFileSync(join(ROOT, 'examples/simulator/README.md'), 'utf8');
  const table = readme.split('| fault, and its default value |')[1].split('\n\n')[0];
  const rows = table.split('\n').filter((row) => row.startsWith('| `'));
  const named = rows.flatMap((row) => row.split('|')[1].split(',')).map((word) => word.replaceAll(/[` ]/g, '').split('=')[0]);
  const here = new Set([...Object.keys(OF_EVENTS), ...Object.keys(OF_BILLING)].map((name) => name.split('=')[0]));
  assert.ok(named.length > 25);
  assert.deepEqual(named.filter((name) => !here.has(name)).toSorted(), ['drip', 'no_truncation_header']);
});
