// What is read from the audit API besides pages: rows of a file, and endpoints.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, health } from 'velora';
import { codeOf, HEALTH_KEY, serve, WEEK } from './support.mjs';

const ROW = '{"event_id":"evt_1","action":"phi.read","details":"{\\"rows\\":12345678901234567890}","new":[1]}';

test('a row of an exported file is read back', async () => {
  const event = health.AuditEvent.fromJson(ROW);
  assert.deepEqual([event.eventId, event.action, event.key, event.timestamp, event.line], ['evt_1', 'phi.read', 'health:evt_1:phi.read', null, ROW]);
  assert.deepEqual(event.members.new, [1]);
  const printed = health.AuditEvent.fromJson(JSON.stringify(JSON.parse(ROW), null, 2));
  assert.deepEqual([printed.key, printed.line.includes('\n')], [event.key, false]);
  for (const none of ['', '[]', 'null', '{', `${ROW}${ROW}`]) {
    assert.equal(await codeOf(() => health.AuditEvent.fromJson(none)), 'malformed_response');
    assert.throws(() => health.AuditEvent.fromJson(none), (error) => error instanceof ApiError && error.attempts === 0);
  }
  assert.equal(await codeOf(() => health.AuditEvent.fromJson()), 'invalid_option');
});

test('a member with half a surrogate pair is null', () => {
  const event = health.AuditEvent.fromJson('{"event_id":"e\\ud800","action":"\\udc00a","user_id":"\\ud83d\\ude00"}');
  assert.deepEqual([event.eventId, event.action, event.key, event.userId], [null, null, null, '\u{1f600}']);
  assert.equal(event.members.event_id, 'e\ud800');
});

test('a timestamp is an instant just where a window may begin with it', async () => {
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: 'http://127.0.0.1:1' });
  const read = (timestamp) => health.AuditEvent.fromJson(JSON.stringify({ event_id: 'e', timestamp })).timestamp;
  const two = (number) => String(number).padStart(2, '0');
  const texts = [];
  for (const at of Array(61).keys()) {
    texts.push(`2026-${two(at)}-28T23:59:59Z`, `2024-02-${two(at)}T00:00:00+00:00`, `2026-05-01T${two(at)}:00:00Z`, `2026-05-01T00:${two(at)}:00Z`,
      `2026-05-01T00:00:${two(at)}Z`, `2026-05-01T00:00:00.${'1'.repeat(at % 12)}Z`, `${two(at)}26-05-01T00:00:00Z`, `2026-05-01T00:00:00+00:${two(at)}`);
  }
  texts.push('9999-12-31T23:59:59Z', '9999-12-28T23:59:59.999999999Z', '2026-05-01T00:00:00.999999999Z', '2999-12-28T23:59:59.999999999Z', '1000-01-01T00:00:00Z', '2026-05-01T00:00:00z', '2026-05-01t00:00:00Z', ' 2026-05-01T00:00:00Z', '2026-05-01T00:00:00Z\n',
    '2026-05-01T00:00:00-00:00', '2026-05-01T00:00:00', '2026-5-01T00:00:00Z', '٢026-05-01T00:00:00Z');
  for (const text of texts) {
    const isInstant = (await codeOf(() => client.events({ since: text }))) !== 'invalid_option';
    assert.equal(read(text), isInstant ? text : null, text);
  }
});

test('a timestamp is the text of an instant, or null', () => {
  const read = (timestamp) => health.AuditEvent.fromJson(JSON.stringify({ event_id: 'e', timestamp })).timestamp;
  const instants = ['2026-05-01T00:00:00Z', '2026-05-01T00:00:00.123456+00:00', '2026-05-01 02:00+02', '2024-02-29T23:59:59.000001Z'];
  const none = ['yesterday', '2026-05-01T00:00:00', '2026-05-01', '2026-02-29T00:00:00Z', '', 1, null, ['2026-05-01T00:00:00Z']];
  assert.deepEqual(instants.map(read), instants);
  assert.deepEqual(none.map(read), none.map(() => null));
});

test('an environment names the client, and an empty base URL is none', async (context) => {
  const { VELORA_API_KEY: key, VELORA_BASE_URL: url } = process.env;
  context.after(() => {
    for (const [name, value] of Object.entries({ VELORA_API_KEY: key, VELORA_BASE_URL: url })) {
      delete process.env[name];
      Object.assign(process.env, value === undefined ? {} : { [name]: value });
    }
  });
  delete process.env.VELORA_API_KEY;
  process.env.VELORA_BASE_URL = '';
  assert.throws(() => health.Client.fromEnv(), (error) => error.code === 'invalid_api_key' && error.message.includes('VELORA_API_KEY'));
  process.env.VELORA_API_KEY = '';
  assert.equal(await codeOf(() => health.Client.fromEnv()), 'invalid_api_key');
  for (const apiKey of ['', 'a b', '\ud800']) {
    assert.equal(await codeOf(() => new health.Client({ apiKey, attempts: -1 })), 'invalid_api_key');
  }
  process.env.VELORA_API_KEY = HEALTH_KEY;
  const client = health.Client.fromEnv();
  assert.ok(client instanceof health.Client);
  assert.equal(client.baseUrl, new health.Client({ apiKey: HEALTH_KEY }).baseUrl);
  process.env.VELORA_BASE_URL = 'http://example.com';
  assert.equal(await codeOf(() => health.Client.fromEnv()), 'invalid_base_url');
  assert.equal(await codeOf(() => health.Client.fromEnv({ attempts: 2 })), 'invalid_base_url');
  // What is given by name takes precedence, even over a URL that is none.
  assert.equal(health.Client.fromEnv({ baseUrl: 'http://127.0.0.1:1', attempts: 1 }).baseUrl, 'http://127.0.0.1:1');
  for (const options of [{ apiKey: 'vlk_live_1' }, { attempts: 0 }, { attempts: '2' }, { baseUrl: 5 }, [], null]) {
    assert.equal(await codeOf(() => health.Client.fromEnv(options)), 'invalid_option', JSON.stringify(options));
  }
});

test('one call of an export takes no concurrency', async (context) => {
  const asked = [];
  const baseUrl = await serve(context, (request, response) => {
    asked.push(request.url);
    response.end(`${ROW}\n`);
  });
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl });
  assert.equal(await codeOf(() => client.exportOnce({ ...WEEK, concurrency: 2 })), 'invalid_option');
  assert.equal(asked.length, 0);
  assert.deepEqual((await client.exportOnce(WEEK)).events.lines, [ROW]);
  assert.equal(asked.length, 1);
});

test('an endpoint that is failing says so, and a client where its API is', async (context) => {
  const endpoints = [0, 3, 4, 10].map((consecutive_failures, at) => ({ id: `wh_${at}`, consecutive_failures }));
  const baseUrl = await serve(context, (_, response) => response.end(JSON.stringify({ endpoints })));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl });
  assert.deepEqual((await client.webhooks.list()).map(({ isFailing }) => isFailing), [false, false, true, true]);
  assert.equal(client.baseUrl, baseUrl);
});
