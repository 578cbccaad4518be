// The verifiers that are compared, each with a delivery of its own sender.

import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { sign as octokitSign, verify as octokitVerify } from '@octokit/webhooks-methods';
import { Webhook as Standard } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as Svix } from 'svix';
import { Signer, Verifier } from '../dist/index.mjs';

const SECRET = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const WHSEC = `whsec_${Buffer.from(SECRET.slice(0, 32)).toString('base64')}`;

/** What a proxy in front of a receiver passes on. */
const ORDINARY = {
  host: 'hooks.example.com', 'user-agent': 'Velora-Webhooks/2.0', accept: '*/*', 'accept-encoding': 'gzip, deflate',
  'content-type': 'application/json', connection: 'keep-alive', 'x-forwarded-for': '203.0.113.42',
  'x-forwarded-proto': 'https', 'x-request-id': '8f14e45f-ceea-467f-a9d5-2b0c1d9a7e11',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', via: '1.1 google',
};

/** Twelve headers, these among them, in lower case as Node has them. */
function twelve(own) {
  const entries = Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]);
  return Object.fromEntries([...Object.entries(ORDINARY).slice(0, 12 - entries.length), ...entries]);
}

/** A Velora Health event of just so many bytes. */
export function body(size) {
  const head =
    '{"type":"phi.read","id":"8b2e5c11-1234-4abc-89de-0123456789ab","timestamp":"2026-05-03T14:22:01+00:00",' +
    '"tenant_id":"acme","actor":{"user_id":"u-1234","user_role":"data_analyst"},"resource":{"type":"claim","id":"C-7890"},' +
    '"phi_involved":true,"success":true,"details":{"workflow":"renewal","note":"';
  const tail = '"},"schema_version":"1"}';
  const note = 'underwriting renewal, diagnosis codes and claim history reviewed; ';
  const room = Math.max(0, size - head.length - tail.length);
  return head + note.repeat(Math.ceil(room / note.length)).slice(0, room) + tail;
}

function now() {
  return Math.floor(Date.now() / 1000);
}

/** The code of the vendor's page, over bytes, with its key made once. */
function reference(raw) {
  const key = createSecretKey(Buffer.from(SECRET));
  const t = now();
  const hex = createHmac('sha256', key).update(`t=${t}.`).update(raw).digest('hex');
  const headers = twelve({ 'X-Velora-Signature': `t=${t},v1=${hex}` });
  return () => {
    const parts = Object.fromEntries(headers['x-velora-signature'].split(',').map((part) => part.split('=')));
    if (Math.abs(Date.now() / 1000 - Number(parts.t)) > 300) {
      return false;
    }
    const expected = createHmac('sha256', key).update(`t=${parts.t}.`).update(raw).digest();
    return timingSafeEqual(expected, Buffer.from(parts.v1, 'hex'));
  };
}

/** What `stripe` is asked, by the name of its method. */
function stripe(method) {
  return (raw) => {
    const { webhooks } = new Stripe('sk_test_x');
    const header = webhooks.generateTestHeaderString({ payload: raw.toString(), secret: SECRET });
    const headers = twelve({ 'Stripe-Signature': header });
    if (method === 'constructEvent') {
      return () => webhooks.constructEvent(raw, headers['stripe-signature'], SECRET);
    }
    return () => webhooks.signature.verifyHeader(raw, headers['stripe-signature'], SECRET, 300);
  };
}

function hooks(Peer, prefix) {
  return (raw) => {
    const peer = new Peer(WHSEC);
    const signature = peer.sign('msg_1', new Date(), raw.toString());
    const headers = twelve({ [`${prefix}-id`]: 'msg_1', [`${prefix}-timestamp`]: String(now()), [`${prefix}-signature`]: signature });
    return () => peer.verify(raw, headers);
  };
}

async function octokit(raw) {
  const text = raw.toString();
  const headers = twelve({ 'X-Hub-Signature-256': await octokitSign(SECRET, text) });
  return () => octokitVerify(SECRET, text, headers['x-hub-signature-256']);
}

function velora(read) {
  return (raw) => {
    const verifier = new Verifier('health', SECRET);
    const headers = twelve({ 'X-Velora-Signature': new Signer('health', SECRET).sign(raw).headers['X-Velora-Signature'] });
    return () => read(verifier.verify(raw, headers));
  };
}

/** The event, found to be of its documented form, and what says which one it is. */
function envelope(delivery) {
  const { type, id } = delivery.event;
  return type.length + id.length + delivery.key.length;
}

/** The same, and every member of it. */
function members(delivery) {
  const { timestamp, tenant_id, actor, resource, phi_involved, success, details, schema_version, extra } = delivery.event;
  const rest = [timestamp, tenant_id, actor, resource, phi_involved, success, details, schema_version, extra];
  return envelope(delivery) + rest.length;
}

/** Makes, from a raw body, a function that verifies it. */
export const PEERS = {
  velora: velora((delivery) => delivery),
  'velora + event': velora(envelope),
  'velora + all members': velora(members),
  reference,
  'stripe verifyHeader': stripe('verifyHeader'),
  'stripe constructEvent': stripe('constructEvent'),
  octokit,
  standardwebhooks: hooks(Standard, 'webhook'),
  svix: hooks(Svix, 'svix'),
};
