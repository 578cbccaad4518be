// What only this package has: the host's own hash, a module that can fail, three entries.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as all from 'velora-wasm/client';
import * as usual from 'velora-wasm';
import * as alone from 'velora-wasm/verify';
import { Miniflare } from 'miniflare';
import { codeOf, HEALTH_KEY, SECRET, serve, simulate, WEEK } from '../../velora-node/test/support.mjs';
import { instance } from '../dist/native/instance.js';
import { bundle } from './runtimes/bundle.mjs';

const { Signer, Verifier, MemoryStore, Receiver, Store } = usual;
const sign = (body, scheme = 'health') => new Signer(scheme, SECRET).sign(body);
/** A text that takes hardly any memory, and three of which need more room than the module can address. */
const LONG = 'x'.repeat(2 ** 28);
const TOO_LONG = [LONG, { 'x-velora-signature': [LONG, LONG] }];
const fail = async () => assert.equal(await codeOf(() => new Verifier('health', SECRET).verify(...TOO_LONG)), 'internal');

test('bodies of every size verify with the host’s hash as with the core’s', async () => {
  for (const scheme of ['health', 'billing', 'curae', 'tv', 'tv-body-only']) {
    const verifier = new Verifier(scheme, ['another', SECRET]);
    for (const size of [1, 350, 49_151, 49_152, 70_000, 1 << 20]) {
      const { body, headers } = sign('x'.repeat(size), scheme);
      const delivery = await verifier.verifyAsync(body, headers);
      assert.equal(delivery.secretIndex, 1);
      assert.deepEqual(delivery.signedTimestamp, verifier.verify(body, headers).signedTimestamp);
      body[size - 1] ^= 1;
      assert.equal(await codeOf(() => verifier.verifyAsync(body, headers)), 'signature_mismatch');
      assert.equal(await codeOf(() => verifier.verifyAsync(body, {})), 'missing_header');
    }
    const old = new Signer(scheme, SECRET).sign('x'.repeat(50_000), { now: 1_780_000_000 });
    assert.equal(await codeOf(() => verifier.verifyAsync(old.body, old.headers)), 'timestamp_too_old');
  }
});

test('the host hashes a body where it is the faster of the two', async (context) => {
  const signing = context.mock.method(SubtleCrypto.prototype, 'sign');
  for (const [size, calls] of [[49_151, 0], [49_152, 1]]) {
    const { body, headers } = sign('x'.repeat(size));
    await new Verifier('health', SECRET).verifyAsync(body, headers);
    assert.equal(signing.mock.callCount(), calls);
  }
});

test('verdicts that come at once name each its own secret', async () => {
  const secrets = ['another', SECRET];
  const verifier = new Verifier('health', secrets);
  const signed = Array.from({ length: 64 }, (_, at) => new Signer('health', secrets[at % 2]).sign(String(at).padEnd(50_000)));
  const deliveries = await Promise.all(signed.map(({ body, headers }) => verifier.verifyAsync(body, headers)));
  assert.deepEqual(deliveries.map(({ secretIndex }) => secretIndex), signed.map((_, at) => at % 2));
});

test('a module that fails is an error, and is started anew', async () => {
  const { body, headers } = sign('{"id":"evt_1","type":"phi.read"}');
  const verifier = new Verifier('health', SECRET);
  const store = new MemoryStore();
  const receiver = new Receiver({ verifier, store, onEvent: () => {} });
  assert.equal((await receiver.receive(body, headers)).outcome, 'processed');
  const before = (await store.claim('a')).lease;
  for (let round = 0; round < 3; round += 1) {
    await fail();
    assert.equal(verifier.verify(body, headers).key, 'health:evt_1:phi.read');
    assert.equal(new Verifier('health', SECRET).verify(body, headers).secretIndex, 0);
  }
  // As after a restart: memory knows nothing of what was.
  assert.equal(await codeOf(() => before.commit()), 'lease_lost');
  assert.equal((await receiver.receive(body, headers)).outcome, 'processed');
  assert.equal((await receiver.receive(body, headers)).outcome, 'duplicate');
});

test('a lease of an instance that has failed ends nobody else’s claim', async () => {
  const store = new MemoryStore();
  const leases = [];
  for (let round = 0; round < 3; round += 1) {
    leases.push((await store.claim('a')).lease);
    await fail();
  }
  leases.push((await store.claim('a')).lease);
  const last = leases.pop();
  for (const lease of leases) {
    assert.ok(lease.epoch < last.epoch);
    for (const verb of ['renew', 'release', 'commit']) {
      assert.equal(await codeOf(() => lease[verb]()), 'lease_lost');
    }
  }
  await last.renew();
  await last.commit();
  assert.equal((await store.claim('a')).state, 'done');
});

test('work that outlives its instance ends in its store', async () => {
  const { body, headers } = sign('{"id":"evt_1","type":"phi.read"}');
  const keys = new Map();
  const own = Store.of({
    claim: async (key) => (keys.has(key) ? { state: 'done' } : { state: 'fresh', epoch: 7 }),
    commit: async (key, epoch) => { keys.set(key, epoch); },
    release: async (key, epoch) => { keys.set('released', epoch); },
    renew: async () => {},
  });
  const receive = (store, onEvent = fail) => new Receiver({ verifier: new Verifier('health', SECRET), store, onEvent }).receive(body, headers);
  const failing = () => fail().then(() => assert.fail('the handler'));
  assert.equal((await receive(own, failing)).outcome, 'handler_failed');
  assert.deepEqual([...keys], [['released', 7]]);
  assert.equal((await receive(own)).outcome, 'processed');
  assert.equal((await receive(own)).outcome, 'duplicate');
  assert.equal(keys.get('health:evt_1:phi.read'), 7);
  const backfilled = await new Receiver({ verifier: new Verifier('health', SECRET), store: own, onEvent: fail }).backfill('a', fail);
  assert.deepEqual([backfilled.outcome, keys.get('a')], ['processed', 7]);
  // What was claimed in memory is gone with it: the event comes again.
  const memory = new MemoryStore();
  assert.deepEqual([(await receive(memory)).outcome, memory.size], ['lease_lost', 0]);
  assert.equal((await receive(memory, () => {})).outcome, 'processed');
});

test('what the caller does wrong loses no claim', async () => {
  const { body, headers } = sign(JSON.stringify({ id: 'evt_1', type: 'phi.read', details: 'x'.repeat(50_000) }));
  const store = new MemoryStore();
  await store.claim('a');
  const before = instance();
  const verifier = new Verifier('health', SECRET);
  const give = (bytes) => structuredClone(bytes, { transfer: [bytes.buffer] });
  const sent = body.slice();
  const hashed = verifier.verifyAsync(sent, headers);
  give(sent);
  assert.equal(await codeOf(() => hashed), 'body_already_parsed');
  const delivery = verifier.verify(body, headers);
  give(delivery.body);
  for (const read of [() => delivery.event, () => delivery.key, () => delivery.checkHeaders(), () => verifier.verify(body, headers),
    () => verifier.verifyAsync(body, headers), () => new Signer('health', SECRET).sign(body)]) {
    assert.equal(await codeOf(read), 'body_already_parsed', read.toString());
  }
  assert.equal(instance(), before);
  assert.equal(store.size, 1);
});

test('what lives goes on once a larger entry is there', () => {
  const found = JSON.parse(execFileSync(process.execPath, [fileURLToPath(new URL('late.mjs', import.meta.url))]));
  assert.deepEqual(found.outcomes, ['processed', 'in_flight', 'duplicate', 'processed', 'duplicate', 'processed', 'done']);
  assert.deepEqual([found.handled, found.keys], [['quick', 'slow', 'late'], 4]);
});

test('the entries have the same classes', () => {
  for (const name of Object.keys(usual)) {
    assert.equal(all[name], usual[name], name);
  }
  for (const name of Object.keys(alone)) {
    assert.equal(usual[name], alone[name], name);
  }
});

test('verifiers that nobody holds are let go of', async () => {
  const { body, headers } = sign('{}');
  const held = () => instance().exports.memory.buffer.byteLength;
  const before = held();
  for (let round = 0; round < 20_000; round += 1) {
    new Verifier('health', SECRET).verify(body, headers);
    if (round % 2_000 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
  }
  // All of them would take five MB.
  assert.ok(held() - before < 2 << 20);
});

test('a secret of any length is the one that is meant', () => {
  for (const length of [1, 64, 65, 70_000, 200_000]) {
    const [secret, other] = ['a', 'b'].map((letter) => letter.repeat(length));
    for (const made of [secret, Buffer.from(secret)]) {
      const { body, headers } = new Signer('billing', secret).sign('{}');
      assert.equal(headers['X-Webhook-Signature'].slice(-64), createHmac('sha256', secret).update('{}').digest('hex'));
      for (const { Verifier } of [usual, alone]) {
        assert.equal(new Verifier('billing', made).verify(body, headers).scheme, 'billing');
        assert.throws(() => new Verifier('billing', other).verify(body, headers), { code: 'signature_mismatch' });
      }
    }
  }
});

test('the verifier alone holds the vectors, and stays itself once a larger entry is there', () => {
  const { count, failed, accepted } = JSON.parse(execFileSync(process.execPath, [fileURLToPath(new URL('alone.mjs', import.meta.url))]));
  assert.ok(count > 800);
  assert.deepEqual(failed, []);
  const own = ['health', 'billing', 'curae', 'tv', 'tv-body-only'].map((scheme) => [[scheme], [scheme]]);
  assert.deepEqual(accepted, own);
});

test('the module of the verifier alone keeps no text of a secret', () => {
  const module = new WebAssembly.Module(readFileSync(new URL('../dist/wasm/verify.wasm', import.meta.url)));
  const { exports } = new WebAssembly.Instance(module);
  const hash = (secret) => {
    const text = Buffer.from(secret);
    const at = exports.reserve(text.length);
    new Uint8Array(exports.memory.buffer, at).set(text);
    return exports.hash_secret(text.length, 0);
  };
  for (const secret of ['canary-7f3a', 'canary-7f3a'.repeat(20)]) {
    assert.equal(hash(secret), 0);
    assert.ok(!Buffer.from(exports.memory.buffer).includes('7f3a'));
  }
  const { byteLength } = exports.memory.buffer;
  for (let round = 0; round < 10_000; round += 1) {
    hash(SECRET);
  }
  assert.equal(exports.memory.buffer.byteLength, byteLength);
  assert.equal(hash(''), Infinity);
});

test('the verifier alone, in workerd', async (context) => {
  const { script, modules } = await bundle(`
    import { Verifier } from 'velora-wasm/verify';
    const { subtle } = crypto;
    export default { async fetch(request) {
      let hashed = 0;
      crypto.subtle.sign = (...parts) => { hashed += 1; return SubtleCrypto.prototype.sign.apply(subtle, parts); };
      const verifier = new Verifier('health', '${SECRET}');
      const body = await request.text();
      try {
        const delivery = verifier.verify(body, request.headers);
        if (request.url.endsWith('/key')) {
          return new Response(delivery.key);
        }
        return new Response([(await verifier.verifyAsync(body, request.headers)).scheme, hashed].join());
      } catch (error) {
        return new Response([error.name, error.code, error.message].join());
      }
    } };`, ['workerd']);
  const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
  const flare = new Miniflare({ modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01', cf: false });
  context.after(() => flare.dispose());
  assert.deepEqual(wasm.map(({ path }) => path), ['verify.wasm']);
  for (const [size, hashed] of [[10, 0], [1791, 0], [1792, 1], [10_000, 1]]) {
    const { body, headers } = sign('x'.repeat(size));
    const send = async (body, path = '/') => (await flare.dispatchFetch(`http://a${path}`, { method: 'POST', headers, body })).text();
    assert.equal(await send(body), `health,${hashed}`);
    assert.match(await send(body, '/key'), /^ConfigError,invalid_option,/);
    assert.equal(await send('y'), 'VerificationError,signature_mismatch,signature_mismatch');
  }
});

for (const entry of ['velora-wasm', 'velora-wasm/client']) {
  test(`${entry} receives in a worker of before FinalizationRegistry`, async (context) => {
    const { script, modules } = await bundle(`
      import { MemoryStore, Receiver, Verifier } from '${entry}';
      const receiver = new Receiver({ verifier: new Verifier('health', '${SECRET}'), store: new MemoryStore(), onEvent: () => {} });
      export default { fetch: (request) => (request.method === 'GET' ? new Response(typeof FinalizationRegistry) : receiver.handle(request)) };`, ['workerd']);
    const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
    const flare = new Miniflare({ modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2024-04-03', cf: false });
    context.after(() => flare.dispose());
    const send = async (sent) => (await flare.dispatchFetch('http://a', sent)).text();
    assert.equal(await send(), 'undefined');
    const genuine = { method: 'POST', ...sign('{"id":"evt_1","type":"phi.read"}') };
    assert.equal(await send(genuine), 'processed');
    assert.equal(await send(genuine), 'duplicate');
    assert.equal(await send({ ...genuine, body: '{}' }), 'signature_mismatch');
  });
}

test('the client in workerd reads everything, through the cap', async (context) => {
  const simulator = await simulate(context, '--events', '12000');
  const { script, modules } = await bundle(`
    import { health } from 'velora-wasm/client';
    export default { async fetch(request) {
      const { baseUrl, apiKey, query } = await request.json();
      const client = new health.Client({ apiKey, baseUrl });
      if (new URL(request.url).pathname === '/export') return new Response(client.export(query).toReadableStream());
      let ids = [];
      try {
        for await (const event of client.events(query)) ids.push(event.eventId);
      } catch (error) {
        ids = [error.code];
      }
      return Response.json(ids);
    } };`, ['workerd']);
  const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
  const flare = new Miniflare({ modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01', cf: false });
  context.after(() => flare.dispose());
  const ask = (path, apiKey = HEALTH_KEY) =>
    flare.dispatchFetch(`http://a${path}`, { method: 'POST', body: JSON.stringify({ baseUrl: simulator.url, apiKey, query: WEEK }) });
  const truth = (await simulator.truth('ids')).sort();
  assert.deepEqual((await (await ask('/list')).json()).sort(), truth);
  const lines = (await (await ask('/export')).text()).split('\n').filter((line) => line !== '');
  assert.deepEqual(lines.map((line) => JSON.parse(line).event_id).sort(), truth);
  assert.deepEqual(await (await ask('/list', `${HEALTH_KEY.slice(0, -1)}e`)).json(), ['unauthorized']);
});

test('what the host has not is said', async () => {
  const options = { apiKey: HEALTH_KEY, baseUrl: 'http://127.0.0.1:1' };
  assert.equal(await codeOf(() => new all.health.Client({ ...options, proxy: 'http://a' })), 'invalid_option');
  assert.equal(await codeOf(() => new all.health.Client({ ...options, baseUrl: 'http://example.com' })), 'invalid_base_url');
  assert.equal(await codeOf(() => new all.health.Client({ ...options, attempts: 1 }).probe()), 'connection');
});

test('the timeouts that the host keeps are times as the core has them', async () => {
  for (const name of ['connectTimeout', 'readTimeout', 'callTimeout', 'maxRetryDelay']) {
    const made = (seconds) => codeOf(() => new all.health.Client({ apiKey: HEALTH_KEY, [name]: seconds }));
    for (const seconds of [-1, NaN, Infinity, 2 ** 64]) {
      assert.equal(await made(seconds), 'invalid_option', `${name}: ${seconds}`);
    }
    assert.equal(await made(0), name === 'maxRetryDelay' ? 'nothing was thrown' : 'invalid_option', name);
    for (const seconds of [0.1, 2 ** 63]) {
      assert.equal(await made(seconds), 'nothing was thrown', `${name}: ${seconds}`);
    }
  }
});

test('a stream that is closed calls off what it has under way', async (context) => {
  let [asked, ended] = [0, 0];
  const url = await serve(context, (request) => {
    asked += 1;
    request.on('close', () => { ended += 1; });
  });
  const client = new all.health.Client({ apiKey: HEALTH_KEY, baseUrl: url });
  const pages = client.export(WEEK).pages();
  const next = pages.next();
  while (asked === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await pages.return();
  assert.deepEqual(await next, { done: true, value: undefined });
  while (ended < asked) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test('a call that was ended early leaves no timer, though fetch never settles', async (context) => {
  context.mock.method(globalThis, 'fetch', () => new Promise(() => {}));
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const client = new all.health.Client({ apiKey: HEALTH_KEY });
  const before = timers();
  const controller = new AbortController();
  const asked = client.probe({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
  assert.equal(timers(), before);
});
