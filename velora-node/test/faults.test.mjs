// Every fault of the simulator gives the core's error, through calls, lists and exports.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, health } from 'velora';
import { codeOf, HEALTH_KEY, simulate, SINCE, UNTIL, WEEK } from './support.mjs';

const QUICK = { attempts: 2, backoff: { base: 0.001, max: 0.002 }, readTimeout: 0.4, callTimeout: 5, maxRetryDelay: 2 };
const ROWS = 2500;

const LISTING = {
  'rate_limited_hour': 'rate_limited', 'rate_limited_bare': 'rate_limited', 'status=400': 'invalid_request',
  'status=401': 'unauthorized', 'status=403': 'forbidden', 'status=404': 'not_found', 'status=409': 'conflict',
  'status=422': 'invalid_request', 'status=500': 'server_error', 'status=503': 'server_error', 'reset': 'connection',
  'reset_after': 'connection', 'hang': 'timeout', 'cut_length': 'connection', 'cut_chunked': 'connection',
  'cut_reset': 'connection', 'stall': 'timeout', 'endless': 'response_too_large', 'gzip_bomb': 'response_too_large',
  'not_json': 'malformed_response', 'redirect': 'unexpected_redirect', 'redirect_307': 'unexpected_redirect',
  'redirect_308': 'unexpected_redirect', 'repeat_cursor': 'cursor_loop', 'loop_cursor': 'cursor_loop', 'no_cursor': 'cursor_loop',
};
const LISTED_WHOLE = ['latency=20', 'gzip', 'wrong_content_type', 'pretty', 'duplicate_rows'];

const EXPORT = {
  'rate_limited_hour': 'rate_limited', 'status=403': 'forbidden', 'status=500': 'server_error', 'reset': 'connection', 'hang': 'timeout',
  'cut_length': 'connection', 'cut_chunked': 'connection', 'cut_row': 'connection', 'cut_reset': 'connection', 'stall': 'timeout',
  'not_json': 'malformed_response', 'bad_row': 'malformed_response', 'redirect': 'unexpected_redirect', 'gzip_bomb': 'response_too_large',
};
const EXPORTED_WHOLE = ['gzip', 'wrong_content_type', 'no_truncation_header', 'truncation_header=yes'];

function fault(name) {
  const [kind, value] = name.split('=');
  return { kind, always: true, ...(value === undefined ? {} : { value: Number.isNaN(Number(value)) ? value : Number(value) }) };
}

test('lists', async (context) => {
  const simulator = await simulate(context, '--events', String(ROWS));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, maxResponseBytes: 4 << 20, ...QUICK });
  for (const [name, code] of Object.entries(LISTING)) {
    await simulator.arm(fault(name));
    assert.equal(await codeOf(() => client.events(WEEK).toArray()), code, name);
    await simulator.calm();
  }
  for (const name of LISTED_WHOLE) {
    await simulator.arm(fault(name));
    assert.equal((await client.events(WEEK).toArray()).length, ROWS, name);
    await simulator.calm();
  }
});

test('exports', async (context) => {
  const simulator = await simulate(context, '--events', String(ROWS));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, maxResponseBytes: 4 << 20, ...QUICK });
  for (const [name, code] of Object.entries(EXPORT)) {
    await simulator.arm(fault(name));
    assert.equal(await codeOf(() => client.export(WEEK).toArray()), code, name);
    await simulator.calm();
  }
  for (const name of EXPORTED_WHOLE) {
    await simulator.arm(fault(name));
    assert.equal((await client.export(WEEK).toArray()).length, ROWS, name);
    await simulator.calm();
  }
});

test('what passes is retried, and an error tells what is known', async (context) => {
  const simulator = await simulate(context, '--events', '10');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, ...QUICK });
  await simulator.arm({ kind: 'status', value: 503, times: 1 });
  await client.probe();
  await simulator.arm({ kind: 'rate_limited_hour', times: 1 });
  await assert.rejects(client.probe(), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.status, error.retryAfter, error.isRetryable], ['rate_limited', 429, 3600, true]);
    assert.equal(typeof error.requestId, 'string');
    assert.ok(error.raw.length > 0 && Array.isArray(error.issues));
    return true;
  });
});

test('a signal ends a call, a list and an export', async (context) => {
  const simulator = await simulate(context, '--events', '5000');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  await simulator.arm({ kind: 'hang', always: true });
  const calls = [
    (signal) => client.probe({ signal }), (signal) => client.events(WEEK, { signal }).toArray(),
    (signal) => client.export(WEEK, { signal }).toArray(), (signal) => client.webhooks.list({ signal }),
    (signal) => client.exportToFile({ since: SINCE, until: UNTIL }, '/dev/shm/velora-aborted.ndjson', { signal }),
  ];
  for (const call of calls) {
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(call(controller.signal), reason);
    await assert.rejects(call(AbortSignal.abort(reason)), reason);
  }
  await assert.rejects(client.probe({ signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
});
