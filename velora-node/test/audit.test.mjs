// What is read of the audit API beside its pages: rows of a file, and endpoints.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, health } from 'velora';
import { codeOf, HEALTH_KEY, serve } from './support.mjs';

const ROW = '{"event_id":"evt_1","action":"phi.read","details":"{\\"rows\\":12345678901234567890}","new":[1]}';

test('a row of an exported file is read back', async () => {
  const event = health.AuditEvent.fromJson(ROW);
  assert.deepEqual([event.eventId, event.action, event.key, event.timestamp, event.raw], ['evt_1', 'phi.read', 'health:evt_1:phi.read', null, ROW]);
  assert.deepEqual(event.members.new, [1]);
  const printed = health.AuditEvent.fromJson(JSON.stringify(JSON.parse(ROW), null, 2));
  assert.deepEqual([printed.key, printed.raw.includes('\n')], [event.key, false]);
  for (const none of ['', '[]', 'null', '{', `${ROW}${ROW}`]) {
    assert.equal(await codeOf(() => health.AuditEvent.fromJson(none)), 'malformed_response');
    assert.throws(() => health.AuditEvent.fromJson(none), (error) => error instanceof ApiError && error.attempts === 0);
  }
  assert.equal(await codeOf(() => health.AuditEvent.fromJson()), 'invalid_option');
});

test('an endpoint that is failing says so, and a client where its API is', async (context) => {
  const endpoints = [0, 3, 4, 10].map((consecutive_failures, at) => ({ id: `wh_${at}`, consecutive_failures }));
  const baseUrl = await serve(context, (_, response) => response.end(JSON.stringify({ endpoints })));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl });
  assert.deepEqual((await client.webhooks.list()).map(({ isFailing }) => isFailing), [false, false, true, true]);
  assert.equal(client.baseUrl, baseUrl);
});
