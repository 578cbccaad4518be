// The members of a delivery's event, and how it behaves in use.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { MemoryStore, Receiver, Scheme, Signer, Verifier } from 'velora';
import { codeOf, SECRET } from './support.mjs';

/** The event, read by a verifier whose deliveries nobody has read before, and once they were. */
function read(scheme, body) {
  const { body: raw, headers } = new Signer(scheme, SECRET).sign(body);
  const verifier = new Verifier(scheme, SECRET);
  const deliveries = [0, 1].map(() => {
    const delivery = verifier.verify(raw, headers);
    assert.ok(delivery.key.startsWith(`${delivery.scheme}:`));
    return delivery;
  });
  const [first, second] = deliveries.map((delivery) => ({ ...delivery.event, key: delivery.key, type: delivery.eventType }));
  assert.deepEqual(first, second);
  return deliveries[1].event;
}

const PHI = 'Zoë 🩺';
const BODY = JSON.stringify({
  new: [1], id: 'evt_1', type: 'phi.read', success: 'yes', actor: { user_id: 7, user_role: 'nurse', note: PHI },
  resource: null, phi_involved: true, timestamp: 'today', details: { name: PHI },
});

test('a member that is not of its documented type is in extra, like one that is not documented', () => {
  const event = read('health', BODY);
  assert.deepEqual({ ...event }, {
    type: 'phi.read', id: 'evt_1', actor: { user_role: 'nurse', extra: { user_id: 7, note: PHI } }, resource: null,
    phi_involved: true, details: { name: PHI }, extra: { new: [1], success: 'yes', timestamp: 'today' },
  });
});

test('one that is repeated is in extra', () => {
  const event = read('health', '{"id":"e","type":"phi.read","phi_involved":"no","actor":5,"phi_involved":false}');
  assert.deepEqual([event.phi_involved, event.actor], [undefined, undefined]);
  assert.deepEqual(event.extra, { phi_involved: false, actor: 5 });
});

test('events of every system', () => {
  const online = '{"id":"1","type":"stream.online","data":{"streamId":"s","userId":"u","n":1}}';
  assert.deepEqual(read('tv', online).data, { streamId: 's', userId: 'u', extra: { n: 1 } });
  const disguised = read('tv', '{"id":"1","type":"stream.online","data":{"streamId":"s","userId":1,"extra":["x"]}}');
  assert.deepEqual([disguised.data, disguised.extra], [undefined, { data: { streamId: 's', userId: 1, extra: ['x'] } }]);
  const offline = read('tv-body-only', '{"event":"stream.offline","id":"1"}');
  assert.deepEqual({ ...offline }, { event: 'stream.offline', extra: { id: '1' } });
  const curae = read('curae', '{"eventId":"1","eventType":"brand.new","data":{"a":1},"b":2}');
  assert.deepEqual([curae.eventType, curae.eventId, curae.data, curae.extra], ['brand.new', '1', { a: 1 }, { b: 2 }]);
  const billing = read('billing', '{"event":"dispute.opened","a":1}');
  assert.deepEqual({ ...billing }, { type: 'dispute.opened', typeIsSigned: true, members: { event: 'dispute.opened', a: 1 } });
  const own = new Scheme({ name: 'slack', signatureHeader: 'X-Slack-Signature', prefix: 'v0=',
    timestampHeader: 'X-Slack-Request-Timestamp', signedPayload: { before: 'v0:', after: ':' } });
  assert.deepEqual({ ...read(own, '{"anything":[1]}') }, { anything: [1] });
});

test('type and id are there before the members are, and the same', () => {
  const names = ['a', 'Zoë', '🩺', 'two\nlines', '\u0000', '__proto__'];
  for (const type of names) {
    for (const id of names) {
      const event = read('health', JSON.stringify({ type, id }));
      const before = [event.type, event.id];
      assert.deepEqual({ ...event }, { type, id, extra: {} });
      assert.deepEqual([event.type, event.id], before);
    }
  }
});

/** Deliveries that nobody has read, of a verifier that is new and of one whose deliveries were read. */
async function unread(scheme, body) {
  const { body: raw, headers } = new Signer(scheme, SECRET).sign(body);
  const [fresh, known] = [0, 1].map(() => new Verifier(scheme, SECRET));
  await codeOf(() => known.verify(raw, headers).event);
  return [fresh, known].map((verifier) => verifier.verify(Uint8Array.from(raw), headers));
}

test('a key without an event', async () => {
  const note = 'x'.repeat(5000);
  const bodies = [['tv', '{"id":"1"}', 'tv:1'], ['tv', JSON.stringify({ id: '1', note }), 'tv:1'], ['curae', '{"eventId":"1","eventType":7}', 'curae:1']];
  for (const text of ['', 'no json', note]) {
    bodies.push(['billing', text, `billing:sha256=${createHash('sha256').update(text).digest('hex')}`]);
  }
  for (const [scheme, body, key] of bodies) {
    for (const delivery of await unread(scheme, body)) {
      assert.equal(await codeOf(() => delivery.eventType), 'malformed_event');
      assert.equal(delivery.key, key);
      delivery.body.fill(0x20);
      for (const member of ['event', 'eventType']) {
        assert.equal(await codeOf(() => delivery[member]), 'malformed_event');
      }
      assert.equal(delivery.key, key);
    }
  }
});

test('an event without a key', async () => {
  const own = new Scheme({ name: 'own', signatureHeader: 'Signature', identity: ['order'] });
  for (const body of ['{"n":1}', JSON.stringify({ n: 1, order: 7, note: 'x'.repeat(5000) })]) {
    for (const delivery of await unread(own, body)) {
      assert.equal(await codeOf(() => delivery.key), 'malformed_event');
      assert.equal(delivery.eventType, null);
      assert.deepEqual({ ...delivery.event }, JSON.parse(body));
      assert.equal(inspect(delivery.event), 'Event(null, no key)');
      assert.equal(await codeOf(() => delivery.key), 'malformed_event');
    }
  }
});

test('a form is verified and not received', async () => {
  const own = new Scheme({ name: 'own', signatureHeader: 'Signature', prefix: '' });
  const form = new Signer(own, SECRET).sign('a=1&b=2');
  const verifier = new Verifier(own, SECRET);
  const receiver = new Receiver({ verifier, store: new MemoryStore(), onEvent: assert.fail, onError: () => {} });
  assert.equal((await receiver.receive(form.body, form.headers)).outcome, 'malformed_event');
  const delivery = verifier.verify(form.body, form.headers);
  assert.equal(Buffer.from(delivery.body).toString(), 'a=1&b=2');
  assert.match(delivery.key, /^own:sha256=/);
});

test('an event of an own scheme is the members of its body', async () => {
  const own = new Scheme({ name: 'own', signatureHeader: 'Signature', prefix: '' });
  const verifier = new Verifier(own, SECRET);
  const { body, headers } = new Signer(own, SECRET).sign('{"id":7,"team-id":"t","a":1,"a":{"b":2},"type":"x"}');
  const events = [];
  const receiver = new Receiver({ verifier, store: new MemoryStore(), onEvent: (event) => { events.push(event); } });
  assert.equal((await receiver.receive(body, headers)).outcome, 'processed');
  const delivery = verifier.verify(body, headers);
  for (const event of [delivery.event, ...events]) {
    assert.deepEqual({ ...event }, { id: 7, 'team-id': 't', a: { b: 2 }, type: 'x' });
    assert.deepEqual([event.id, event.a.b, event.type, event.extra], [7, 2, 'x', undefined]);
    assert.throws(() => { event.id = 8; }, TypeError);
  }
  assert.equal(events.length, 1);
  assert.equal(delivery.eventType, null);
});

test('an event is an object of its members', () => {
  for (const touch of [() => {}, (event) => event.details]) {
    const event = read('health', BODY);
    touch(event);
    const keys = ['type', 'id', 'actor', 'resource', 'phi_involved', 'details', 'extra'];
    assert.deepEqual(Object.keys(event), keys);
    assert.deepEqual(Object.entries(event), keys.map((key) => [key, event[key]]));
    assert.ok('id' in event && Object.hasOwn(event, 'resource') && !('timestamp' in event));
    const { type, ...rest } = event;
    assert.equal(type, 'phi.read');
    assert.equal(rest.id, 'evt_1');
    assert.deepEqual(structuredClone({ ...event }), { ...event });
    assert.throws(() => structuredClone(event), { name: 'DataCloneError' });
  }
});

test('in JSON it is the body that was sent', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(read('health', BODY))), JSON.parse(BODY));
  assert.equal(JSON.stringify({ event: read('billing', '{"a":[1]}') }), '{"event":{"a":[1]}}');
  assert.equal(JSON.stringify(read('curae', '{"eventType":"a","eventId":"b","toJSON":1}')), '{"eventType":"a","eventId":"b","toJSON":1}');
});

test('it cannot be written to', () => {
  const event = read('health', BODY);
  assert.throws(() => { event.id = 'other'; }, TypeError);
  assert.throws(() => { delete event.id; }, TypeError);
  assert.throws(() => Object.defineProperty(event, 'id', { value: 'other' }), TypeError);
  assert.throws(() => Object.freeze(event), TypeError);
  assert.throws(() => Object.setPrototypeOf(event, null), TypeError);
  assert.equal(event.id, 'evt_1');
  assert.equal(inspect(event), 'Event(phi.read, health:evt_1:phi.read)');
});

test('a clone of its members can be written to, all the way down', () => {
  const event = read('health', BODY);
  const clone = structuredClone({ ...event });
  clone.details.name = 'other';
  clone.id = 'other';
  assert.deepEqual([event.id, event.details.name], ['evt_1', PHI]);
});

test('who logs it does not see what is in it', () => {
  for (const touch of [() => {}, (event) => event.details]) {
    const event = read('health', BODY);
    touch(event);
    assert.equal(inspect(event), 'Event(phi.read, health:evt_1:phi.read)');
    assert.match(inspect(event, { showProxy: true }), /^Proxy \[\s+Event\(phi\.read, health:evt_1:phi\.read\),/);
    for (const options of [{ showProxy: true }, { showHidden: true }, { getters: true }]) {
      assert.ok(!inspect([event], { depth: 9, ...options }).includes('Zo'));
    }
  }
});
