// No secret, body or expected signature in any error, log or inspection.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as velora from 'velora';
import { MemoryStore, Receiver, Signer, SigningSecret, Verifier, billing, curae, health, tv } from 'velora';
import { HEALTH_KEY, simulate, WEEK } from './support.mjs';

const SECRET = 'canary-secret-0123456789';
const PATIENT = 'canary-patient-42';
const BODY = JSON.stringify({ id: 'evt_1', type: 'phi.read', details: { name: PATIENT } });

function shows(value, canaries) {
  const shown = [
    inspect(value, { depth: 10, showHidden: true, getters: false }), String(value), JSON.stringify(value) ?? '',
    value instanceof Error ? value.stack + inspect(value.cause, { depth: 10, showHidden: true }) : '',
  ].join('\n');
  return canaries.filter((canary) => shown.includes(canary));
}

test('of what verifies and what is verified', () => {
  const signer = new Signer('health', SECRET);
  const verifier = new Verifier('health', SECRET);
  const { headers } = signer.sign(BODY);
  const signature = headers['X-Velora-Signature'].split('v1=')[1];
  const delivery = verifier.verify(BODY, headers);
  assert.equal(delivery.event.details.name, PATIENT);
  const receiver = new Receiver({ verifier, store: new MemoryStore(), onEvent: () => {} });
  for (const value of [signer, verifier, delivery, receiver, new SigningSecret(SECRET), { secret: new SigningSecret(SECRET) }]) {
    assert.deepEqual(shows(value, [SECRET, PATIENT, signature]), [], inspect(value));
  }
});

test('of errors', () => {
  const t = Math.floor(Date.now() / 1000);
  const expected = createHmac('sha256', SECRET).update(`t=${t}.${BODY}`).digest('hex');
  const verifier = new Verifier('health', SECRET);
  const forged = { 'X-Velora-Signature': `t=${t},v1=${'0'.repeat(64)}` };
  const calls = [
    () => verifier.verify(BODY, forged), () => verifier.verify(BODY, {}), () => verifier.verify(BODY, { 'X-Velora-Signature': PATIENT }),
    () => verifier.verify({ name: PATIENT }, forged), () => verifier.verify(BODY, { 'x-velora-signature': { name: PATIENT } }),
    () => new Verifier('health', ` ${SECRET}`), () => new Verifier(SECRET, 'a'), () => new Verifier('health', 'a', { [SECRET]: 1 }),
    () => new health.Client({ apiKey: `${SECRET} ` }), () => new health.Client({ apiKey: 'a', baseUrl: `https://user:${SECRET}@example.com` }),
    () => new health.Client({ apiKey: 'a', proxy: `::${SECRET}` }), () => new curae.Client({ apiKey: SECRET }),
  ];
  for (const call of calls) {
    assert.throws(call, (error) => {
      assert.ok(error instanceof velora.VeloraError);
      assert.deepEqual(shows(error, [SECRET, PATIENT, expected]), [], error.stack);
      return true;
    }, call.toString());
  }
});

test('of clients, their errors and their results', async (context) => {
  const simulator = await simulate(context, '--events', '20');
  const options = { baseUrl: simulator.url };
  const client = new health.Client({ apiKey: HEALTH_KEY, ...options });
  const clients = [client, new billing.Client({ apiKey: SECRET, ...options }), new curae.Client({ apiKey: SECRET, ...options }), new tv.Client({ token: SECRET, ...options })];
  for (const one of clients) {
    assert.deepEqual(shows(one, [SECRET, HEALTH_KEY]), []);
  }
  await assert.rejects(clients[1].reconSummary(), (error) => {
    assert.equal(error.code, 'unauthorized');
    assert.deepEqual(shows(error, [SECRET, error.raw]), []);
    return true;
  });
  const [event] = await client.events(WEEK).toArray();
  const { members } = event;
  assert.ok(typeof members.user_id === 'string');
  assert.deepEqual(shows(event, [members.user_id, members.source_ip]), []);
  for await (const page of client.events(WEEK).pages()) {
    assert.ok(!inspect(page).includes(members.user_id));
  }
  const made = await client.webhooks.create({ url: 'https://a.example/hook' });
  assert.deepEqual(shows(made, [made.secret.exposeSecret()]), []);
  const viewer = new tv.Client({ token: 'velora-tv-token-0123456789abcdef', ...options });
  for await (const item of viewer.events()) {
    if (item.kind === 'event') {
      const { userId } = item.event.data;
      assert.ok(item.data.includes(userId));
      for (const value of [item, item.event, [item]]) {
        assert.ok(!inspect(value, { depth: 10, showHidden: true }).includes(userId));
      }
      break;
    }
    await simulator.ask('POST', 'emit', { system: 'tv', type: 'stream.online', id: 'evt_1' });
  }
  const books = new billing.Client({ apiKey: 'vb_live_0123456789abcdef', ...options });
  const run = await books.runRecon('inv_1', 'key');
  assert.equal(inspect(run), `ReconRun(${run.runId})`);
  assert.ok(Object.keys(run.response).length > 0);
  const endpoint = JSON.parse(await simulator.ask('POST', 'endpoints', { system: 'billing', url: 'http://127.0.0.1:9/' }));
  await simulator.ask('POST', `endpoints/${endpoint.id}/history`, { count: 1, ok: false, retained: true });
  const [logged] = await books.deliveries(endpoint.id).toArray();
  assert.equal(inspect(logged), `LoggedDelivery(${logged.id}, failed)`);
  const webhook = await viewer
    .createWebhook({ clientId: 'app', url: 'https://a.example/hook', events: ['stream.online'] });
  assert.ok(JSON.stringify(webhook.response).includes(webhook.secret.exposeSecret()));
  assert.deepEqual(shows(webhook, [webhook.secret.exposeSecret()]), []);
});
