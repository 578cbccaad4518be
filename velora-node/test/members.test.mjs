// Every member of what the systems list, under the name that it has on the wire.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { billing, curae, health, tv } from 'velora';
import { serve } from './support.mjs';

const day = (number) => new Date(Date.UTC(2026, 4, number));
const members = (read, names) => Object.fromEntries(names.map((name) => [name, read[name]]));

/** Compares what is read with what is expected of it, whatever else it has. */
function reads(read, expected) {
  assert.deepEqual(members(read, Object.keys(expected)), expected);
}

async function answering(context, body) {
  const baseUrl = await serve(context, (_, response) => response.end(JSON.stringify(body)));
  return { baseUrl, apiKey: 'test' };
}

test('of an audit event', async (context) => {
  const row = {
    event_id: '8b2e5c11',
    timestamp: '2026-05-03T14:22:01+00:00',
    action: 'phi.read',
    user_id: 'u-1234',
    user_role: 'data_analyst',
    resource_type: 'claim',
    resource_id: 'C-7890',
    fields_accessed: '["diagnosis_code"]',
    phi_involved: true,
    tenant_id: 'acme',
    source_ip: '203.0.113.42',
    user_agent: 'Mozilla/5.0',
    justification: 'underwriting renewal',
    success: false,
    details: '{"workflow":"renewal"}',
  };
  const options = await answering(context, { events: [row], page: { has_more: false } });
  const [event] = await new health.Client(options).events().toArray();
  reads(event, {
    eventId: '8b2e5c11',
    timestamp: '2026-05-03T14:22:01+00:00',
    action: 'phi.read',
    userId: 'u-1234',
    userRole: 'data_analyst',
    resourceType: 'claim',
    resourceId: 'C-7890',
    fieldsAccessed: ['diagnosis_code'],
    phiInvolved: true,
    tenantId: 'acme',
    sourceIp: '203.0.113.42',
    userAgent: 'Mozilla/5.0',
    justification: 'underwriting renewal',
    success: false,
    details: { workflow: 'renewal' },
  });
});

test('of an endpoint of Health', async (context) => {
  const row = {
    id: 'wh_1',
    url: 'https://example.com/hook',
    event_filter: ['phi.', 'admin.'],
    description: 'SIEM',
    active: true,
    consecutive_failures: 2,
    last_delivery_at: '2026-05-02T00:00:00+00:00',
    created_at: '2026-05-01T00:00:00+00:00',
  };
  const options = await answering(context, { endpoints: [row] });
  const [endpoint] = await new health.Client(options).webhooks.list();
  reads(endpoint, {
    id: 'wh_1',
    url: 'https://example.com/hook',
    eventFilter: ['phi.', 'admin.'],
    description: 'SIEM',
    active: true,
    consecutiveFailures: 2,
    lastDeliveryAt: day(2),
    createdAt: day(1),
    isFailing: false,
  });
});

test('of an endpoint of CuraeAI', async (context) => {
  const options = await answering(context, {
    id: 'whe_1',
    resourceType: 'WebhookEndpoint',
    url: 'https://example.com/hook',
    eventTypes: ['patient.created'],
    status: 'ACTIVE',
    consecutiveFailures: 2,
    lastDeliveryAttemptAt: '2026-05-04T00:00:00Z',
    lastSuccessfulDeliveryAt: '2026-05-03T00:00:00Z',
    createdAt: '2026-05-01T00:00:00Z',
    updatedAt: '2026-05-02T00:00:00Z',
    _version: 7,
  });
  const { endpoint } = await new curae.Client({ ...options, apiKey: 'cae_test_canary' }).webhooks.get('whe_1');
  reads(endpoint, {
    id: 'whe_1',
    url: 'https://example.com/hook',
    eventTypes: ['patient.created'],
    status: 'ACTIVE',
    consecutiveFailures: 2,
    createdAt: day(1),
    updatedAt: day(2),
    lastSuccessfulDeliveryAt: day(3),
    lastDeliveryAttemptAt: day(4),
    version: 7,
    extra: { resourceType: 'WebhookEndpoint' },
  });
});

test('of a logged delivery of Billing', async (context) => {
  const row = {
    id: 'del_2',
    status: 'failed',
    statusCode: 503,
    duration: 12.5,
    errorMessage: 'Service Unavailable',
    retryable: true,
    retryOfId: 'del_1',
  };
  const options = await answering(context, { deliveries: [row] });
  const [delivery] = await new billing.Client(options).deliveries('wh_1').toArray();
  reads(delivery, { ...row, extra: {} });
});

test('of the summary of Billing', async (context) => {
  const options = await answering(context, {
    pendingTickets: 7,
    urgentTickets: 2,
    openDisputes: 4,
    lastInvoiceAt: '2026-05-01T00:00:00Z',
    lastReconAt: '2026-05-02T00:00:00Z',
    asOf: '2026-05-03T00:00:00Z',
  });
  const summary = await new billing.Client(options).reconSummary();
  reads(summary, {
    pendingTickets: 7,
    urgentTickets: 2,
    openDisputes: 4,
    lastInvoiceAt: day(1),
    lastReconAt: day(2),
    asOf: day(3),
    extra: {},
  });
});

/** Expects each of these to be null, not merely missing. */
const nulls = (names) => Object.fromEntries(names.map((name) => [name, null]));

test('what a row lacks is null', async (context) => {
  const events = await answering(context, { events: [{}], page: { has_more: false } });
  const [event] = await new health.Client(events).events().toArray();
  reads(event, nulls([
    'eventId', 'timestamp', 'action', 'userId', 'userRole', 'resourceType', 'resourceId', 'fieldsAccessed',
    'phiInvolved', 'tenantId', 'sourceIp', 'userAgent', 'justification', 'success', 'details', 'key',
  ]));

  const endpoints = await answering(context, { endpoints: [{ id: 'wh_1' }] });
  const [webhook] = await new health.Client(endpoints).webhooks.list();
  reads(webhook, nulls(['url', 'description', 'active', 'lastDeliveryAt', 'createdAt']));

  const one = await answering(context, { id: 'whe_1' });
  const versioned = await new curae.Client({ ...one, apiKey: 'cae_test_canary' }).webhooks.get('whe_1');
  assert.equal(versioned.etag, null);
  reads(versioned.endpoint, nulls([
    'url', 'status', 'consecutiveFailures', 'createdAt', 'updatedAt', 'lastSuccessfulDeliveryAt',
    'lastDeliveryAttemptAt', 'version',
  ]));

  const log = await answering(context, { deliveries: [{ id: 'del_1', status: 'failed' }] });
  const [delivery] = await new billing.Client(log).deliveries('wh_1').toArray();
  reads(delivery, nulls(['statusCode', 'duration', 'errorMessage', 'retryOfId']));
});

const createdAt = (baseUrl) =>
  new tv.Client({ baseUrl, token: () => 'token' }).createWebhook({ clientId: 'a', url: 'https://a.example', events: ['stream.online'] });

test('what an answer lacks is null', async (context) => {
  const body = { pendingTickets: 0, urgentTickets: 0, openDisputes: 0 };
  const answer = await answering(context, body);
  const client = new billing.Client(answer);
  reads(await client.runRecon('inv_1', 'key'), { runId: null });
  reads(await client.reconSummary(), nulls(['lastInvoiceAt', 'lastReconAt', 'asOf']));
  const made = await createdAt(answer.baseUrl);
  reads(made, nulls(['id', 'secret']));
  assert.deepEqual(made.response, body);
  reads(client.rateLimit, nulls(['limit', 'remaining', 'reset', 'retryAt']));

  const silent = await serve(context, (_, response) => response.end());
  reads(await createdAt(silent), nulls(['id', 'secret', 'response']));

  const again = await answering(context, { deliveryId: 'del_2', status: 'pending' });
  reads(await new billing.Client(again).retryDelivery('del_1'), { deliveryId: 'del_2', status: 'pending', statusCode: null });
});

test('what a stream lacks is null', async (context) => {
  const baseUrl = await serve(context, (_, response) => {
    response.setHeader('content-type', 'text/event-stream');
    response.end('event: connected\ndata: {}\n\nevent: unheard.of\ndata: {}\n\n');
  });
  const stream = new tv.Client({ token: () => 'token', baseUrl }).events();
  reads((await stream.next()).value, {
    kind: 'connected', ...nulls(['authenticated', 'autoSubscribed', 'channelUsername']), extra: {},
  });
  const { value: event } = await stream.next();
  reads(event, { kind: 'event', type: 'unheard.of', data: '{}', ...nulls(['event', 'id', 'key']) });
  assert.equal(inspect(event), 'StreamEvent(unheard.of, no key)');
  reads((await stream.next()).value, { kind: 'gap', lastEventId: null });
  await stream.return();
});

test('what a failure lacks is null', async (context) => {
  const baseUrl = await serve(context, (_, response) => {
    response.statusCode = 400;
    response.end('{"issues":[{"path":["url"]}]}');
  });
  const { webhooks } = new curae.Client({ baseUrl, apiKey: 'cae_test_canary' });
  await assert.rejects(webhooks.get('whe_1'), (error) => {
    reads(error, { status: 400, ...nulls(['retryAfter', 'vendorCode', 'detail']) });
    assert.deepEqual(error.issues, [{ code: null, path: ['url'], message: null }]);
    return true;
  });
  // No request was made.
  await assert.rejects(webhooks.get(''), (error) => {
    reads(error, { status: null, attempts: 0, requestId: null });
    return true;
  });
  const tokenless = new tv.Client({ baseUrl, token: () => '' });
  await assert.rejects(tokenless.events().next(), (error) => {
    reads(error, { status: null, attempts: 1 });
    return true;
  });
});
