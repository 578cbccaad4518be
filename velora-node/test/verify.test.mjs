// Bodies and headers in all their forms, options, and the members of a delivery.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { Scheme, Signer, SigningSecret, VeloraError, VerificationError, Verifier } from 'velora';
import { codeOf, SECRET } from './support.mjs';

const BODY = '{"id":"evt_1","type":"phi.read","details":{"name":"Zoë"}}';
const signed = new Signer('health', SECRET).sign(BODY);
const verifier = new Verifier('health', SECRET);

test('takes the raw body in every form', () => {
  const bytes = signed.body;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const padded = Buffer.concat([Buffer.from('..'), bytes, Buffer.from('.')]);
  const bodies = [
    BODY, bytes, Uint8Array.from(bytes), Uint8Array.from(bytes).buffer, shared, padded.subarray(2, -1),
    new DataView(padded.buffer, padded.byteOffset + 2, bytes.length),
  ];
  for (const body of bodies) {
    const delivery = verifier.verify(body, signed.headers);
    assert.equal(delivery.event.details.name, 'Zoë');
    assert.equal(delivery.key, 'health:evt_1:phi.read');
    assert.deepEqual(Buffer.from(delivery.body), Buffer.from(bytes));
  }
});

test('refuses what was parsed, and says what to call', () => {
  for (const body of [JSON.parse(BODY), [1], 7, null, undefined, true, () => BODY, Symbol('x'), new Request('http://a')]) {
    assert.throws(() => verifier.verify(body, signed.headers), (error) => {
      assert.equal(error.code, 'body_already_parsed');
      assert.match(error.message, /request\.text\(\)/);
      return error instanceof VeloraError;
    });
  }
});

test('finds headers in every container and in any case', () => {
  const value = signed.headers['X-Velora-Signature'];
  const containers = [
    signed.headers, { 'x-velora-signature': value }, { 'X-VELORA-SIGNATURE': [value] },
    ['Host', 'a', 'x-Velora-signature', value], [['host', 'a'], ['X-velora-Signature', value]],
    new Headers(signed.headers), new Map(Object.entries(signed.headers)), Object.assign(Object.create(null), signed.headers),
    { get: (name) => (name === 'x-velora-signature' ? value : null) },
  ];
  for (const headers of containers) {
    assert.equal(verifier.verify(BODY, headers).eventType, 'phi.read');
  }
});

test('sees a header that was sent twice', async () => {
  const value = signed.headers['X-Velora-Signature'];
  for (const headers of [
    { 'X-Velora-Signature': value, 'x-velora-signature': value }, { 'x-velora-signature': [value, value] },
    ['X-Velora-Signature', value, 'x-velora-signature', value], [['X-Velora-Signature', value], ['x-velora-signature', value]],
  ]) {
    assert.equal(await codeOf(() => verifier.verify(BODY, headers)), 'duplicate_header');
  }
});

test('refuses headers that are none', async () => {
  const header = Object.entries(signed.headers)[0];
  for (const headers of [[[...header, 'x']], [header, ['x']], null, undefined, 7, 'text', () => {}, [[1, 2]], { 'x-velora-signature': 7 }, [null]]) {
    assert.equal(await codeOf(() => verifier.verify(BODY, headers)), 'unreadable_headers');
  }
  assert.equal(await codeOf(() => verifier.verify(BODY, {})), 'missing_header');
  for (const none of [undefined, null, []]) {
    for (const headers of [{ 'x-velora-signature': none }, { 'X-Velora-Signature': none }, new Map([['x-velora-signature', none]])]) {
      assert.equal(await codeOf(() => verifier.verify(BODY, headers)), 'missing_header');
    }
  }
  const inherited = Object.create({ 'x-velora-signature': signed.headers['X-Velora-Signature'] });
  assert.equal(await codeOf(() => verifier.verify(BODY, inherited)), 'missing_header');
});

test('long and odd header values are values', async () => {
  const cases = { 'header_too_large': 't=1,v1=' + '0'.repeat(9000), 'malformed_header': 't=1,v1=é' + '0'.repeat(63) };
  for (const [code, value] of Object.entries(cases)) {
    assert.equal(await codeOf(() => verifier.verify(BODY, { 'x-velora-signature': value })), code);
  }
  const padded = ' '.repeat(4000) + signed.headers['X-Velora-Signature'];
  assert.equal(verifier.verify(BODY, { 'x-velora-signature': padded }).secretIndex, 0);
});

test('verifies as of a time', async () => {
  const at = new Signer('health', SECRET).sign(BODY, { now: 1_780_000_000 });
  for (const now of [1_780_000_000, 1_780_000_300, new Date(1_780_000_300_999)]) {
    assert.equal(verifier.verify(BODY, at.headers, { now }).signedTimestamp.getTime(), 1_780_000_000_000);
  }
  assert.equal(await codeOf(() => verifier.verify(BODY, at.headers, { now: 1_780_000_301 })), 'timestamp_too_old');
  assert.equal(await codeOf(() => verifier.verify(BODY, at.headers, { now: 1_779_999_699 })), 'timestamp_in_future');
  assert.equal(await codeOf(() => verifier.verify(BODY, at.headers, { now: Number.MAX_VALUE })), 'timestamp_too_old');
  assert.equal(await codeOf(() => verifier.verify(BODY, at.headers, { now: -Number.MAX_VALUE })), 'timestamp_in_future');
  for (const now of [NaN, Infinity, 'now', new Date(NaN)]) {
    assert.equal(await codeOf(() => verifier.verify(BODY, at.headers, { now })), 'invalid_option');
    assert.equal(await codeOf(() => verifier.verify(BODY, null, { now })), 'invalid_option');
    assert.equal(await codeOf(() => verifier.verifyAsync(BODY.padEnd(50_000), null, { now })), 'invalid_option');
  }
  const old = new Verifier('health', SECRET, { dangerousNoTolerance: true }).verify(BODY, at.headers);
  assert.equal(old.event.id, 'evt_1');
});

test('what is signed stays so, whatever becomes of the memory', () => {
  for (const body of [Buffer.from(BODY), new TextEncoder().encode(BODY)]) {
    const made = new Signer('health', SECRET).sign(body);
    body.fill(0);
    assert.equal(verifier.verify(made.body, made.headers).secretIndex, 0);
  }
});

test('a header that is not ASCII is signed as it is received', () => {
  for (const id of ['é', 'ÿ\u0100', '事件', '😀']) {
    const { body, headers } = new Signer('curae', SECRET).sign(JSON.stringify({ eventId: id, eventType: 'x' }));
    assert.equal(new Headers(headers).get('CuraeAI-Event-Id'), Buffer.from(id).toString('latin1'));
    assert.equal(new Verifier('curae', SECRET).verify(body, headers).event.eventId, id);
    assert.equal(new Verifier('curae', SECRET).verify(body, new Headers(headers)).event.eventId, id);
  }
});

test('says which secret matched', () => {
  const rotating = new Verifier('health', ['new', SECRET]);
  const delivery = rotating.verify(BODY, signed.headers);
  assert.equal(delivery.secretIndex, 1);
  assert.equal(delivery.signedTimestamp.getTime() % 1000, 0);
  assert.equal(delivery.event.type, 'phi.read');
});

test('what is read is what was signed, whatever becomes of the memory', async () => {
  const long = JSON.stringify({ id: 'evt_1', type: 'phi.read', details: 'x'.repeat(5000) });
  for (const text of [BODY, long]) {
    const own = new Signer('health', SECRET).sign(text);
    for (const first of ['event', 'key', 'eventType']) {
      const fresh = new Verifier('health', SECRET);
      const body = Buffer.from(own.body);
      const delivery = fresh.verify(body, own.headers);
      const known = delivery[first];
      body.fill(0x20);
      assert.deepEqual({ ...delivery.event }, { ...JSON.parse(text), extra: {} });
      assert.equal(delivery.key, 'health:evt_1:phi.read');
      assert.equal(delivery[first], known);
      assert.equal(delivery.body, body);
    }
  }
});

test('what was written to before it is read is not read', async () => {
  const texts = [BODY, JSON.stringify({ id: 'evt_1', type: 'phi.read', details: 'x'.repeat(5000) })];
  for (const text of texts) {
    const own = new Signer('health', SECRET).sign(text);
    const fresh = new Verifier('health', SECRET);
    const written = Buffer.from(own.body);
    const delivery = fresh.verify(written, own.headers);
    written.write(text.replace('evt_1', 'forgd'));
    for (const member of ['event', 'key', 'eventType', 'event']) {
      assert.equal(await codeOf(() => delivery[member]), 'signature_mismatch');
    }
    written.write(text);
    assert.equal(delivery.key, 'health:evt_1:phi.read');
  }
});

test('where deliveries are read, a small body is copied when it is verified', () => {
  const fresh = new Verifier('health', SECRET);
  assert.equal(fresh.verify(BODY, signed.headers).event.id, 'evt_1');
  const body = Buffer.from(signed.body);
  const delivery = fresh.verify(body, signed.headers);
  body.fill(0x20);
  assert.deepEqual({ ...delivery.event }, { ...JSON.parse(BODY), extra: {} });
});

/** The same bytes, whose memory someone else has now. */
function givenAway(bytes) {
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

test('bytes that are out of reach, and headers that throw, are refused like any other', async () => {
  const gone = givenAway(Uint8Array.from(signed.body));
  const bodies = [gone, gone.buffer, new Proxy(new Uint8Array(3), {}), Object.create(Uint8Array.prototype)];
  for (const body of bodies) {
    assert.equal(await codeOf(() => verifier.verify(body, signed.headers)), 'body_already_parsed');
    assert.equal(await codeOf(() => verifier.verifyAsync(body, signed.headers)), 'body_already_parsed');
    assert.equal(await codeOf(() => new Signer('health', SECRET).sign(body)), 'body_already_parsed');
  }
  const empty = new Signer('health', SECRET).sign(new Uint8Array(0));
  assert.equal(verifier.verify(empty.body, empty.headers).body.length, 0);
  const long = new Signer('health', SECRET).sign(JSON.stringify({ id: 'evt_1', type: 'phi.read', details: 'x'.repeat(5000) }));
  const delivery = new Verifier('health', SECRET).verify(Uint8Array.from(long.body), long.headers);
  givenAway(delivery.body);
  for (const read of [() => delivery.event, () => delivery.key, () => delivery.eventType, () => delivery.checkHeaders()]) {
    assert.equal(await codeOf(read), 'body_already_parsed');
  }
  const boom = () => { throw new Error('boom'); };
  const throwing = [
    { get: boom }, new Proxy({}, { ownKeys: boom }), new Proxy([], { get: boom }),
    { get 'x-velora-signature'() { return boom(); } }, new (class { [Symbol.iterator]() { return boom(); } })(),
  ];
  for (const headers of throwing) {
    assert.equal(await codeOf(() => verifier.verify(BODY, headers)), 'unreadable_headers');
  }
});

test('shared memory of another realm is copied before it is looked at', () => {
  const shared = runInNewContext('new SharedArrayBuffer(64)');
  assert.ok(!(shared instanceof SharedArrayBuffer));
  const body = new Uint8Array(shared, 0, signed.body.length);
  body.set(signed.body);
  const delivery = verifier.verify(body, signed.headers);
  body.fill(0);
  assert.deepEqual(Buffer.from(delivery.body), Buffer.from(signed.body));
  assert.throws(() => verifier.verify(shared, signed.headers), { code: 'body_already_parsed' });
});

test('a header that was sent very often is a duplicate, quickly', async () => {
  const pairs = Array.from({ length: 300_000 }, () => ['X-Velora-Signature', 'a']);
  assert.equal(await codeOf(() => verifier.verify(BODY, pairs)), 'duplicate_header');
});

test('a secret is nobody else’s to write to', () => {
  const bytes = Buffer.from(SECRET);
  const secret = new SigningSecret(bytes);
  bytes.fill(0);
  secret.exposeSecret().fill(0);
  assert.equal(new Verifier('health', secret).verify(signed.body, signed.headers).secretIndex, 0);
  assert.throws(() => new SigningSecret(7), { code: 'invalid_option' });
  assert.throws(() => new SigningSecret(givenAway(Uint8Array.from([1, 2, 3]))), { code: 'invalid_option' });
});

test('a delivery does not age while it is worked on', () => {
  const billing = new Signer('billing', SECRET).sign('{"type":"dispute.sla_breached"}', { now: 1_780_000_000 });
  const delivery = new Verifier('billing', SECRET).verify(billing.body, billing.headers, { now: 1_780_000_299 });
  assert.equal(delivery.signedTimestamp, null);
  assert.deepEqual({ ...delivery.event }, { type: 'dispute.sla_breached', typeIsSigned: true, members: { type: 'dispute.sla_breached' } });
});

test('an unsigned type is marked', () => {
  const { body, headers } = new Signer('billing', SECRET).sign('{"a":1}');
  const delivery = new Verifier('billing', SECRET).verify(body, { ...headers, 'x-webhook-event': 'dispute.sla_breached' });
  assert.equal(delivery.event.typeIsSigned, false);
  assert.equal(delivery.event.type, 'dispute.sla_breached');
  const unnamed = new Verifier('billing', SECRET).verify(body, headers).event;
  assert.deepEqual([unnamed.type, unnamed.typeIsSigned], [null, false]);
});

test('contradicting headers and malformed events', async () => {
  const curae = new Signer('curae', SECRET).sign('{"eventId":"1","eventType":"x"}');
  const verified = new Verifier('curae', SECRET).verify(curae.body, { ...curae.headers, 'CuraeAI-Event-Id': '2' });
  assert.equal(await codeOf(() => verified.checkHeaders()), 'header_body_mismatch');
  assert.equal(await codeOf(() => verified.event), 'header_body_mismatch');
  const nothing = new Signer('health', SECRET).sign('[]');
  const delivery = verifier.verify(nothing.body, nothing.headers);
  delivery.checkHeaders();
  assert.equal(await codeOf(() => delivery.event), 'malformed_event');
});

test('misuse at construction has a code', async () => {
  const cases = [
    ['unknown_scheme', () => new Verifier('nobody', SECRET)], ['unknown_scheme', () => new Signer('nobody', SECRET)],
    ...[undefined, null, 5, {}, ['health']].flatMap((scheme) => [
      ['invalid_option', () => new Verifier(scheme, SECRET)], ['invalid_option', () => new Signer(scheme, SECRET)],
    ]),
    ['empty_secret', () => new Verifier('tv', '')], ['secret_has_whitespace', () => new Verifier('tv', ' a')],
    ['no_secret', () => new Verifier('tv', [])], ['no_secret', () => new Verifier('tv', undefined)],
    ['no_secret', () => new Verifier('tv', [, 'a'])], ['no_secret', () => new Verifier('tv', ['a', undefined])], ['no_secret', () => new SigningSecret()],
    ['empty_secret', () => new SigningSecret('')], ['empty_secret', () => new SigningSecret(new Uint8Array())], ['secret_has_whitespace', () => new SigningSecret('x\n')],
    ...[null, [], 5].map((options) => ['invalid_option', () => verifier.verify(BODY, signed.headers, options)]),
    ['invalid_option', () => verifier.verifyAsync(BODY, signed.headers, null)],
    ['invalid_option', () => new Verifier('tv', 7)], ['too_many_secrets', () => new Signer('tv', ['a', 'b'])],
    ['invalid_option', () => new Verifier('tv', 'a', { tolerance: 1, dangerousNoTolerance: true })],
    ['invalid_tolerance', () => new Verifier('tv', 'a', { tolerance: -1 })], ['invalid_tolerance', () => new Verifier('tv', 'a', { tolerance: NaN })],
    ['invalid_option', () => new Verifier('tv', 'a', { tolerence: 1 })], ['invalid_option', () => new Verifier('tv', 'a', { tolerance: '300' })],
    ['invalid_option', () => new Verifier('tv', 'a', [])], ['invalid_option', () => verifier.verify(BODY, signed.headers, { at: 1 })],
    ['invalid_scheme', () => new Verifier(new Scheme({ name: 'x', signatureHeader: 'a b' }), 'a')],
    ...[[], [''], ['tenant', ''], ['', 'id']].map((identity) =>
      ['invalid_scheme', () => new Verifier(new Scheme({ name: 'x', signatureHeader: 'y', identity }), 'a')]),
    ['invalid_scheme', () => new Verifier(new Scheme({ name: 'x', signatureHeader: 'y', prefix: '', timestampHeader: 'Y' }), 'a')],
    ...['health', 'billing', 'curae', 'tv', 'tv-body-only'].map((name) => ['invalid_scheme', () => new Signer(new Scheme({ name, signatureHeader: 'y' }), 'a')]),
    ...['\ud800', 'a\udc00', ['a', '\ud800']].map((secret) => ['invalid_option', () => new Verifier('tv', secret)]),
    ['invalid_option', () => new Scheme({ name: '\ud800', signatureHeader: 'y' })],
    ['invalid_option', () => new Scheme({ name: 'x', signatureHeader: 'y', identity: ['id', '\ud800'] })],
    ['invalid_option', () => new Scheme({ name: 'x' })], ['invalid_option', () => new Scheme({ name: 'x', signatureHeader: 'y', header: 'z' })],
    ['invalid_option', () => new Scheme({ name: 'x', signatureHeader: 'y', timestampUnit: 'seconds' })],
    ['invalid_option', () => new Scheme({ name: 'x', signatureHeader: 'y', timestampHeader: null, timestampUnit: 'seconds' })],
    ['invalid_option', () => new Scheme({ name: 'x', signatureHeader: 'y', timestampHeader: 'z', timestampUnit: 'hours' })],
  ];
  for (const [code, call] of cases) {
    assert.equal(await codeOf(call), code, call.toString());
  }
});

test('a misspelt option is named, what may be a secret is not', () => {
  for (const [name, shown] of [
    ['tolerence', true], ['dangerous_no_tolerance', true], ['dangerous_short_retention', true],
    ['whsec_0123', false], ['x-velora-signature', false], ['', false], ['a'.repeat(26), false],
  ]) {
    assert.throws(() => new Verifier('tv', 'a', { [name]: 1 }), ({ code, message }) => {
      const [found, known] = message.split(';');
      assert.deepEqual([code, found], ['invalid_option', shown ? `unknown option ${name}` : 'an unknown option']);
      return known.includes('dangerousNoTolerance');
    });
  }
});

test('secrets are texts, bytes, or SigningSecrets', () => {
  for (const secret of [SECRET, Buffer.from(SECRET), new SigningSecret(SECRET), [new SigningSecret(Buffer.from(SECRET))], new SigningSecret(new SigningSecret(SECRET))]) {
    assert.equal(new Verifier('health', secret).verify(BODY, signed.headers).secretIndex, 0);
  }
});

test('bytes of another realm are bytes, as a secret and as a body', () => {
  const foreign = (bytes) => runInNewContext('Uint8Array').from(bytes);
  const secret = foreign(Buffer.from(SECRET));
  assert.ok(!(secret instanceof Uint8Array));
  const own = new Verifier('health', secret);
  assert.equal(own.verify(foreign(signed.body), signed.headers).key, own.verify(signed.body, signed.headers).key);
  for (const other of [new Uint16Array(8), new DataView(new ArrayBuffer(8)), { [Symbol.toStringTag]: 'Uint8Array' }]) {
    assert.throws(() => new SigningSecret(other), { code: 'invalid_option' });
  }
});

test('an error stands where the caller is', () => {
  try {
    verifier.verify('x', signed.headers);
    assert.fail();
  } catch (error) {
    assert.ok(error instanceof VerificationError && error instanceof VeloraError && error instanceof Error);
    assert.equal(error.name, 'VerificationError');
    assert.match(error.stack.split('\n')[1], /verify\.test\.mjs/);
  }
});
