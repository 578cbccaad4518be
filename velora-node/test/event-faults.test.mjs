// Every fault of the simulator, for the client of the audit API: the exact rows, each once, or
// the core's code. Each fault has a simulator of its own, so that what is left of one call
// never meets the next. The expectations are those of the core's own tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, health } from 'velora';
import { compact, EVENTS, EXPORT, fault, OF_EVENTS, options, plain, verdict, WHOLE } from './faulty.mjs';
import { HEALTH_KEY, simulate, WEEK } from './support.mjs';

for (const [name, [ofListing, ofExport]] of Object.entries(OF_EVENTS)) {
  // A cap that is low makes few events many pages and leaves.
  const start = (context) => simulate(context, '--events', '2345', '--export-cap', '500');
  const client = ({ url }) => new health.Client({ apiKey: HEALTH_KEY, ...options(name, url, { maxResponseBytes: 1 << 20 }) });

  test(`lists: ${name}`, async (context) => {
    const simulator = await start(context);
    const truth = await simulator.truth('rows');
    await simulator.arm(fault(name, { path: EVENTS, skip: 2 }));
    const [text, wanted] = name === 'pretty' ? [compact, truth.map((line) => compact({ line }))] : [plain, truth];
    assert.equal(await verdict(client(simulator).events({ ...WEEK, limit: 250 }), wanted, text), ofListing);
  });

  test(`exports: ${name}`, async (context) => {
    const simulator = await start(context);
    const truth = await simulator.truth('rows');
    await simulator.arm(fault(name, { path: EXPORT, skip: 3 }));
    assert.equal(await verdict(client(simulator).export(WEEK), truth, plain), ofExport);
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
