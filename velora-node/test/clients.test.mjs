// The clients against the simulator: every flow that the vendors describe.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { billing, curae, health, Scheme, tv, Verifier } from 'velora';
import { codeOf, HEALTH_KEY, serve, simulate, temporary, UNTIL, WEEK } from './support.mjs';

const { keyOfEvent } = createRequire(import.meta.url)('../native/index.js');

test('health: probe, list, pages, one event', async (context) => {
  const simulator = await simulate(context, '--events', '3500');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  await client.probe();

  const events = await client.events(WEEK).toArray();
  assert.deepEqual(events.map((event) => event.eventId).sort(), (await simulator.truth('ids')).sort());
  const phi = await client.events({ ...WEEK, phiInvolved: true, limit: 100 }).toArray();
  assert.ok(phi.length > 0 && phi.length < events.length && phi.every((event) => event.phiInvolved === true));

  let pages = 0;
  let lines = [];
  for await (const page of client.events(WEEK).pages()) {
    pages += 1;
    lines = lines.concat(page.lines);
    assert.equal(page.length, page.events.length);
    assert.equal(page.events[0].line, page.lines[0]);
    assert.deepEqual(page.events.map((event) => event.members), page.lines.map((row) => JSON.parse(row)));
  }
  assert.equal(pages, 4);
  assert.ok(lines.some((row) => /[^\x00-\x7f]/.test(row)));
  assert.deepEqual(lines.sort(), (await simulator.truth('rows')).sort());

  const one = await client.event(events[0].eventId);
  assert.deepEqual(one.members, events[0].members);
  const full = events.find((event) => typeof event.members.details === 'string');
  assert.deepEqual(full.details, JSON.parse(full.members.details));
  assert.equal(full.key, `health:${full.eventId}:${full.action}`);
  assert.equal(await codeOf(() => client.event('nobody')), 'not_found');
});

test('health: an iterable can be gone through twice, and left early', async (context) => {
  const simulator = await simulate(context, '--events', '2500');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const events = client.events(WEEK);
  for (let round = 0; round < 2; round += 1) {
    let seen = 0;
    for await (const event of events) {
      assert.notEqual(event.eventId, null);
      seen += 1;
      if (seen === 10) {
        break;
      }
    }
    assert.equal(seen, 10);
  }
  assert.equal((await events.toArray()).length, 2500);
});

test('health: exports in every form', async (context) => {
  const simulator = await simulate(context, '--events', '24000');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const truth = await simulator.truth('rows');

  const told = [];
  const rows = [];
  for await (const event of client.export(WEEK, { onProgress: (progress) => told.push(progress) })) {
    rows.push(event.line);
  }
  assert.deepEqual(rows.toSorted(), truth.toSorted());
  assert.equal(told.at(-1).rows, 24000);
  assert.equal(told.at(-1).doneUntil.getTime(), Date.parse(UNTIL));

  const again = client.export(WEEK);
  for (let round = 0; round < 2; round += 1) {
    const streamed = await new Response(again.toReadableStream()).text();
    assert.deepEqual(streamed.trimEnd().split('\n'), rows);
  }

  const once = await client.exportOnce(WEEK);
  assert.equal(once.truncation, 'yes');
  assert.equal(once.events.length, 10000);

  const folder = temporary(context);
  const path = join(folder, 'may.ndjson');
  const progress = [];
  const manifest = await client.exportToFile(WEEK, path, { onProgress: ({ rows: count }) => progress.push(count) });
  assert.equal(manifest.rows, 24000);
  assert.equal(progress.at(-1), 24000);
  assert.deepEqual((await readFile(path, 'utf8')).trimEnd().split('\n'), rows);
  assert.ok(manifest instanceof health.Manifest);
  assert.equal(manifest.completeUntil, manifest.until);
  const read = await health.Manifest.read(path);
  assert.deepEqual(read, manifest);
  assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(await readFile(`${path}.manifest.json`, 'utf8'), camelCased));
  const april = { since: '2026-04-01T00:00:00Z', until: '2026-04-02T00:00:00Z' };
  const { leaves } = await client.exportToFile(april, join(folder, 'april.ndjson'));
  assert.deepEqual(leaves.map(({ rows: count, firstId, lastId }) => [count, firstId, lastId]), [[0, null, null]]);
  // What is held is checked, wherever the file is, and whatever now stands beside it.
  const elsewhere = join(folder, 'moved.ndjson');
  await writeFile(elsewhere, await readFile(path));
  await writeFile(`${path}.manifest.json`, '{}');
  await Promise.all([read.verify(path), manifest.verify(path), manifest.verify(elsewhere)]);
  assert.equal(await codeOf(() => health.Manifest.read(path)), 'file_mismatch');
  await writeFile(path, 'something else');
  assert.equal(await codeOf(() => manifest.verify(path)), 'file_mismatch');
  assert.equal(await codeOf(() => client.exportToFile({ ...WEEK, phiInvolved: true }, path)), 'file_mismatch');
  for (const ask of [(at) => health.Manifest.read(at), (at) => manifest.verify(at)]) {
    assert.equal(await codeOf(() => ask(join(folder, 'none'))), 'file_unusable');
    for (const nowhere of [undefined, null, 5]) {
      assert.equal(await codeOf(() => ask(nowhere)), 'invalid_option');
    }
  }
});

/** The members of a manifest's file as they are called here. */
function camelCased(_, value) {
  const renamed = ([name, member]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), member];
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).map(renamed)) : value;
}

test('health: what failed fails again, and is never taken for the end', async (context) => {
  const simulator = await simulate(context, '--events', '2500');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, attempts: 1 });
  await simulator.arm({ kind: 'status', value: 503, always: true, skip: 1 });
  for (const steps of [client.events(WEEK)[Symbol.asyncIterator](), client.events(WEEK).pages()]) {
    let error;
    try {
      for (;;) {
        assert.equal((await steps.next()).done, false);
      }
    } catch (thrown) {
      error = thrown;
    }
    assert.equal(error.code, 'server_error');
    await assert.rejects(steps.next(), error);
    await assert.rejects(steps.next(), error);
    assert.equal((await steps.return()).done, true);
    await simulator.calm();
    await simulator.arm({ kind: 'status', value: 503, always: true, skip: 1 });
  }
});

test('health: an export that is read ahead fails behind what it gave, and can be left', async (context) => {
  const simulator = await simulate(context, '--events', '2345', '--export-cap', '500');
  const truth = new Set(await simulator.truth('rows'));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, attempts: 1 });
  await simulator.arm({ kind: 'status', value: 503, always: true, skip: 6 });
  const steps = client.export({ ...WEEK, concurrency: 1 }).pages();
  const given = [];
  const all = async () => {
    for await (const page of steps) {
      given.push(...page.lines);
    }
  };
  await assert.rejects(all(), { code: 'server_error' });
  assert.ok(given.length > 0 && given.length < truth.size, given.length);
  assert.equal(new Set(given).size, given.length);
  assert.ok(given.every((row) => truth.has(row)));
  await assert.rejects(steps.next(), { code: 'server_error' });

  await simulator.calm();
  await simulator.arm({ kind: 'hang', always: true, skip: 6 });
  const left = client.export({ ...WEEK, concurrency: 1 }).pages();
  assert.equal((await left.next()).done, false);
  assert.equal((await left.return()).done, true);
  assert.equal((await left.next()).done, true);
});

test('health: leaving ends what is under way', async (context) => {
  const simulator = await simulate(context, '--events', '10');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url, readTimeout: 300, callTimeout: 600 });
  await simulator.arm({ kind: 'hang', always: true });
  for (const steps of [client.events(WEEK)[Symbol.asyncIterator](), client.events(WEEK).pages(), client.export(WEEK).pages()]) {
    const next = steps.next();
    await steps.return();
    assert.equal((await next).done, true);
    assert.equal((await steps.next()).done, true);
  }
  const reader = client.export(WEEK).toReadableStream().getReader();
  const read = reader.read();
  await reader.cancel();
  assert.equal((await read).done, true);
});

test('health: several are asked for at once', async (context) => {
  const simulator = await simulate(context, '--events', '30');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const steps = client.events({ ...WEEK, limit: 10 })[Symbol.asyncIterator]();
  const asked = await Promise.all(Array.from({ length: 32 }, () => steps.next()));
  assert.deepEqual(asked.map(({ done }) => done), [...Array(30).fill(false), true, true]);
  assert.equal(new Set(asked.slice(0, 30).map(({ value }) => value.eventId)).size, 30);
});

test('health: what onProgress throws ends the call', async (context) => {
  const simulator = await simulate(context, '--events', '3000');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const folder = temporary(context);
  const reason = new Error('enough');
  for (const onProgress of [() => { throw reason; }, async () => { throw reason; }]) {
    await assert.rejects(client.export(WEEK, { onProgress }).toArray(), reason);
    await assert.rejects(client.exportToFile(WEEK, join(folder, `${onProgress.constructor.name}.ndjson`), { onProgress }), reason);
  }
});

test('health: a call that was ended can be made again at once', async (context) => {
  const simulator = await simulate(context, '--events', '20000');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const folder = temporary(context);
  const path = join(folder, 'may.ndjson');
  for (let round = 0; round < 3; round += 1) {
    const controller = new AbortController();
    const ended = client.exportToFile(WEEK, path, { signal: controller.signal, onProgress: () => controller.abort() });
    await ended.catch((error) => assert.equal(error.name, 'AbortError'));
  }
  assert.equal((await client.exportToFile(WEEK, path)).rows, 20000);
});

test('health: a listed event has the key of the core', () => {
  const key = (members) => keyOfEvent(JSON.stringify(members));
  assert.equal(key({ event_id: 'e', action: 'a:b' }), 'health:e:a%3Ab');
  assert.equal(key({ event_id: 'e' }), null);
  assert.equal(keyOfEvent('{"event_id":"\\ud83d","action":"a"}'), null);
});

test('health: webhooks come and go', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  const { webhooks } = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const { endpoint, secret } = await webhooks.create({ url: 'https://a.example/hook', eventFilter: ['phi.'], description: 'SIEM' });
  assert.deepEqual([endpoint.url, endpoint.eventFilter, endpoint.active], ['https://a.example/hook', ['phi.'], true]);
  assert.match(secret.exposeSecret(), /^[0-9a-f]{64}$/);
  assert.equal(new Verifier('health', secret).scheme, 'health');
  assert.deepEqual((await webhooks.list()).map(({ id }) => id), [endpoint.id]);
  await webhooks.disable(endpoint.id);
  assert.equal((await webhooks.list())[0].active, false);
  await webhooks.delete(endpoint.id);
  assert.deepEqual(await webhooks.list(), []);
  assert.equal(await codeOf(() => webhooks.disable('nobody')), 'not_found');
});

test('health: an environment names the client', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  delete process.env.VELORA_API_KEY;
  context.after(() => {
    delete process.env.VELORA_API_KEY;
    delete process.env.VELORA_BASE_URL;
  });
  assert.equal(await codeOf(() => health.Client.fromEnv()), 'invalid_api_key');
  process.env.VELORA_API_KEY = HEALTH_KEY;
  process.env.VELORA_BASE_URL = simulator.url;
  await health.Client.fromEnv().probe();
});

/** The pages of a list, each of which but the last says where the next one starts. */
async function pagesOf(items) {
  const pages = [];
  for await (const page of items.pages()) {
    pages.push(page);
  }
  assert.ok(pages.slice(0, -1).every(({ nextCursor }) => typeof nextCursor === 'string' && nextCursor !== ''));
  assert.equal(pages.at(-1).nextCursor, null);
  return pages.map((page) => [...page]);
}

test('billing: reconciliation, CSV, the log, and a sweep', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  const client = new billing.Client({ apiKey: 'vb_live_0123456789abcdef', baseUrl: simulator.url });
  const summary = await client.reconSummary();
  assert.ok(summary.pendingTickets >= 0 && summary.asOf instanceof Date);
  const run = await client.runRecon('inv_1', 'key');
  assert.equal((await client.runRecon('inv_1', 'key')).runId, run.runId);
  assert.equal(await codeOf(() => client.runRecon('inv_missing', 'k')), 'not_found');

  const rows = [];
  for await (const row of client.auditCsv('run_demo')) {
    rows.push(row);
  }
  assert.ok(rows.length > 0 && Object.keys(rows[0]).length > 1);
  for await (const row of client.journalCsv('/api/audits/run_demo/gl', 'qbo')) {
    assert.ok(Object.keys(row).length > 1);
    break;
  }

  const endpoint = JSON.parse(await simulator.ask('POST', 'endpoints', { system: 'billing', url: 'http://127.0.0.1:9/' }));
  await simulator.ask('POST', `endpoints/${endpoint.id}/history`, { count: 5, ok: false, retained: true });
  const log = await client.deliveries(endpoint.id, { status: 'failed', limit: 2 }).toArray();
  assert.equal(log.length, 5);
  assert.deepEqual(await pagesOf(client.deliveries(endpoint.id, { status: 'failed', limit: 2 })), [log.slice(0, 2), log.slice(2, 4), log.slice(4)]);
  const { value: first } = await client.deliveries(endpoint.id, { limit: 2 }).pages().next();
  assert.deepEqual(await client.deliveries(endpoint.id, { cursor: first.nextCursor }).toArray(), log.slice(2));
  assert.equal(await codeOf(() => client.deliveries(endpoint.id, { cursor: '' })), 'invalid_option');
  const progress = [];
  const report = await client.refireFailed(endpoint.id, { onProgress: (one) => progress.push(one) });
  assert.equal(report.failedAgain.length + report.refired.length + report.notRefired.length, 5);
  assert.equal(progress.at(-1).total, 5);
  const told = progress.map(({ refired, failedAgain, notRefired }) => refired + failedAgain + notRefired);
  assert.deepEqual(told, [0, 1, 2, 3, 4, 5]);
  const reason = new Error('enough');
  for (const onProgress of [() => { throw reason; }, async () => { throw reason; }]) {
    await simulator.ask('POST', `endpoints/${endpoint.id}/history`, { count: 3, ok: false, retained: true });
    await assert.rejects(client.refireFailed(endpoint.id, { onProgress }), reason);
  }
  assert.deepEqual(client.rateLimit, { limit: null, remaining: null, reset: null, retryAt: null });
});

test('curae: endpoints by version', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  const client = new curae.Client({ apiKey: 'cae_test_0123456789abcdef', baseUrl: simulator.url });
  const made = await client.webhooks.create({ url: 'https://a.example/hook', eventTypes: ['import.completed'] });
  assert.equal(new Verifier('curae', made.secret).scheme, 'curae');
  const { endpoint, etag } = await client.webhooks.get(made.endpoint.id);
  assert.deepEqual(endpoint.eventTypes, ['import.completed']);
  assert.equal(await client.webhooks.getIfChanged(endpoint.id, etag), null);
  const changed = await client.webhooks.update(endpoint.id, etag, { eventTypes: ['user.graduated', 'entry.folded'] });
  assert.deepEqual(changed.endpoint.eventTypes, ['user.graduated', 'entry.folded']);
  assert.equal(await codeOf(() => client.webhooks.update(endpoint.id, etag, { status: 'ACTIVE' })), 'conflict');
  const second = await client.webhooks.create({ url: 'https://b.example/hook', eventTypes: ['entry.folded'] });
  const listed = await pagesOf(client.webhooks.list({ limit: 1 }));
  assert.deepEqual(listed.map((page) => page.map(({ id }) => id)).sort(), [[endpoint.id], [second.endpoint.id]].sort());
  const { value: first } = await client.webhooks.list({ limit: 1 }).pages().next();
  assert.deepEqual(await pagesOf(client.webhooks.list({ cursor: first.nextCursor })), listed.slice(1));
  assert.equal(await codeOf(() => client.webhooks.list({ cursor: '' })), 'invalid_option');
  await client.webhooks.delete(endpoint.id, '*');
  assert.equal(await codeOf(() => client.webhooks.get(endpoint.id)), 'not_found');
  assert.equal(await codeOf(() => new curae.Client({ apiKey: 'cae_test_1', baseUrl: 'https://api.curaeai.com' })), 'wrong_environment');
  const forbidden = new curae.Client({ apiKey: 'cae_test_without_scopes', baseUrl: simulator.url });
  await assert.rejects(forbidden.webhooks.get('x'), { code: 'forbidden', vendorCode: 'SCOPE_INSUFFICIENT' });
});

test('tv: webhooks, tokens, and a stream with a gap', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  let asked = 0;
  const token = async () => {
    asked += 1;
    return 'velora-tv-token-0123456789abcdef';
  };
  const client = new tv.Client({ token, baseUrl: simulator.url });
  const webhook = await client.createWebhook({ clientId: 'app', url: 'https://a.example/hook', events: ['stream.online'] });
  assert.equal(new Verifier('tv', webhook.secret).scheme, 'tv');

  const kinds = [];
  for await (const item of client.events({ idleTimeout: 30 })) {
    kinds.push(item.kind);
    if (item.kind === 'connected' && kinds.length === 1) {
      await simulator.ask('POST', 'emit', { system: 'tv', type: 'stream.online', id: 'evt_1' });
    } else if (item.kind === 'event') {
      assert.equal(item.type, 'stream.online');
      await simulator.ask('POST', 'tv/cut', { reset: false });
    } else if (item.kind === 'gap') {
      assert.equal(item.reason.code, 'connection');
    } else {
      break;
    }
  }
  assert.deepEqual(kinds, ['connected', 'event', 'gap', 'connected']);
  assert.ok(asked >= 3);

  const old = new tv.Client({ token: () => 'expired', baseUrl: simulator.url });
  await assert.rejects(old.events().next(), (error) => error.status === 401 && error.cause === undefined);
});

test('tv: a function that gives no token', async (context) => {
  const simulator = await simulate(context, '--events', '1');
  const webhook = { clientId: 'a', url: 'https://a.example', events: [] };
  const backoff = { base: 0.001, max: 0.001 };
  const made = (token, options) => new tv.Client({ token, baseUrl: simulator.url, backoff, ...options });

  const cause = new Error('the token endpoint is down');
  let asked = 0;
  const down = made(async () => { asked += 1; throw cause; }, { attempts: 3 });
  const threw = { code: 'connection', isRetryable: true, status: null, cause };
  await assert.rejects(down.createWebhook(webhook), threw);
  assert.equal(asked, 1);
  await assert.rejects(down.events().next(), threw);
  assert.equal(asked, 4);

  for (const nothing of [() => undefined, async () => null, () => 7, () => '', () => 'a\nb']) {
    const refused = made(nothing);
    const none = { code: 'unauthorized', isRetryable: false, status: null };
    await assert.rejects(refused.createWebhook(webhook), none);
    await assert.rejects(refused.events().next(), none);
  }

  // One outage of it is no end of a stream that was there before.
  asked = 0;
  const restarting = made(() => {
    asked += 1;
    if (asked === 2) {
      throw cause;
    }
    return 'velora-tv-token-0123456789abcdef';
  });
  const kinds = [];
  for await (const { kind } of restarting.events()) {
    kinds.push(kind);
    if (kinds.length === 3) {
      break;
    }
    if (kind === 'connected') {
      await simulator.ask('POST', 'tv/cut', { reset: false });
    }
  }
  assert.deepEqual(kinds, ['connected', 'gap', 'connected']);
  assert.equal(asked, 3);
});

test('what is registered for no types is not sent', async (context) => {
  const asked = [];
  const baseUrl = await serve(context, (request, response) => {
    asked.push(request.url);
    response.end('{}');
  });
  const endpoints = new curae.Client({ apiKey: 'cae_test_1', baseUrl }).webhooks;
  const app = new tv.Client({ token: 'a', baseUrl });
  for (const types of [undefined, null, 'import.completed', {}, [1]]) {
    assert.equal(await codeOf(() => endpoints.create({ url: 'https://a.example', eventTypes: types })), 'invalid_option');
    assert.equal(await codeOf(() => app.createWebhook({ clientId: 'a', url: 'https://a.example', events: types })), 'invalid_option');
  }
  assert.deepEqual(asked, []);
});

test('a client says where its API is', () => {
  const clients = [
    new health.Client({ apiKey: 'a' }), new billing.Client({ apiKey: 'a' }), new tv.Client({ token: 'a' }),
    ...['live', 'test'].map((environment) => new curae.Client({ apiKey: `cae_${environment}_1` })),
  ];
  const urls = clients.map(({ baseUrl }) => baseUrl);
  assert.ok(urls.every((url) => url.startsWith('https://')), urls);
  assert.equal(new Set(urls).size, clients.length);
});

test('options are checked', async () => {
  const client = new health.Client({ apiKey: HEALTH_KEY });
  const cases = [
    ['invalid_api_key', () => new health.Client({})], ['invalid_api_key', () => new billing.Client({ apiKey: 'a b' })],
    ['invalid_option', () => new health.Client({ apiKey: 'a', timeout: 1 })], ['invalid_option', () => new health.Client({ apiKey: 7 })],
    ['invalid_option', () => new health.Client({ apiKey: 'a', attempts: 0 })], ['invalid_option', () => new health.Client({ apiKey: 'a', readTimeout: -1 })],
    ['invalid_base_url', () => new health.Client({ apiKey: 'a', baseUrl: 'http://example.com' })],
    ['invalid_option', () => client.events({ limit: 1001 })], ['invalid_option', () => client.events({ resource: 'x' })],
    ['invalid_option', () => client.events({ since: 'yesterday' })], ['invalid_window', () => client.events({ since: UNTIL, until: WEEK.since })],
    ['invalid_option', () => client.export({ since: UNTIL })], ['invalid_option', () => client.export({ ...WEEK, concurrency: 0 })],
    ['invalid_option', () => client.events({ since: new Date(NaN) })], ['invalid_option', () => client.export(WEEK, { onProgress: 7 })],
    ['invalid_option', () => client.events({ limit: 1.9 })], ['invalid_option', () => new health.Client({ apiKey: 'a', attempts: 2.9 })],
    ['invalid_option', () => new health.Client({ apiKey: 'a', attempts: 1e20 })], ['invalid_option', () => new health.Client({ apiKey: 'a', maxResponseBytes: NaN })],
    ['invalid_option', () => new health.Client({ apiKey: 'a', maxResponseBytes: -1 })], ['invalid_option', () => new health.Client({ apiKey: 'a', backoff: { base: 0.5 } })],
    ['invalid_option', () => new health.Client({ apiKey: 'a', backoff: {} })], ['invalid_option', () => new health.Client({ apiKey: 'a', backoff: { base: 1, max: 1, maximum: 2 } })],
    ['invalid_option', () => client.events({}, { signal: 7 })], ['invalid_option', () => client.export(WEEK, { signal: {} })],
    ['invalid_option', () => new Verifier(new Scheme({ name: 'a', signatureHeader: 'b', rejectStatus: 65736 }), 'c')],
    ['invalid_option', () => new health.Client({ apiKey: 'a', proxy: 'socks5://127.0.0.1:1080' })],
    ['invalid_option', () => new tv.Client({ token: 7 })], ['invalid_option', () => client.webhooks.create({ url: 'https://a', filter: [] })],
  ];
  for (const [code, call] of cases) {
    assert.equal(await codeOf(call), code, call.toString());
  }
  for (const name of ['connectTimeout', 'readTimeout', 'callTimeout', 'maxRetryDelay']) {
    for (const seconds of [NaN, Infinity, 2 ** 64]) {
      assert.equal(await codeOf(() => new health.Client({ apiKey: 'a', [name]: seconds })), 'invalid_option', `${name}: ${seconds}`);
    }
    assert.equal(await codeOf(() => new health.Client({ apiKey: 'a', [name]: 2 ** 63 })), 'nothing was thrown', name);
    assert.equal(await codeOf(() => new health.Client({ apiKey: 'a', [name]: 0 })), name === 'maxRetryDelay' ? 'nothing was thrown' : 'invalid_option', name);
  }
});
