// Each event is handled once, and each system gets the response it expects.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { MemoryStore, Receiver, Signer, Store, StoreError, VerificationError, Verifier, Work } from 'velora';
import { codeOf, held, SECRET } from './support.mjs';

const event = (id, type = 'phi.read') => new Signer('health', SECRET).sign(JSON.stringify({ id, type }));

function receiver(onEvent, options = {}) {
  return new Receiver({ verifier: new Verifier('health', SECRET), store: new MemoryStore(), ...(onEvent && { onEvent }), ...options });
}

test('an event is handled once', async () => {
  const handled = [];
  const once = receiver(async (one, delivery) => handled.push([one.id, delivery.key, delivery.secretIndex]));
  const { body, headers } = event('evt_1');
  assert.deepEqual(await once.receive(body, headers), { status: 200, retryAfter: null, outcome: 'processed', code: null });
  assert.deepEqual(await once.receive(body, headers), { status: 200, retryAfter: null, outcome: 'duplicate', code: null });
  assert.deepEqual(handled, [['evt_1', 'health:evt_1:phi.read', 0]]);
});

test('a receiver says what it is made of, and a signer for which scheme it signs', () => {
  const [verifier, store] = [new Verifier('health', SECRET), new MemoryStore()];
  const made = new Receiver({ verifier, store });
  assert.ok(made.verifier === verifier && made.store === store);
  assert.equal(new Signer('tv', SECRET).scheme, 'tv');
});

test('a handler that throws makes the event come again', async () => {
  const errors = [];
  let failing = true;
  const retried = receiver(() => { if (failing) throw new Error('the database is away'); }, { onError: (error) => errors.push(error.message) });
  const { body, headers } = event('evt_1');
  assert.deepEqual(await retried.receive(body, headers), { status: 500, retryAfter: null, outcome: 'handler_failed', code: 'handler_failed' });
  failing = false;
  assert.equal((await retried.receive(body, headers)).outcome, 'processed');
  assert.deepEqual(errors, ['the database is away']);
});

test('what onError throws changes nothing', async () => {
  for (const onError of [() => { throw new Error('logger down'); }, async () => { throw new Error('logger down'); }]) {
    let failing = true;
    const retried = receiver(async () => { if (failing) throw undefined; }, { onError });
    const { body, headers } = event('evt_1');
    assert.equal((await retried.receive(body, headers)).outcome, 'handler_failed');
    assert.equal((await retried.backfill('health:evt_1:phi.read', () => Promise.reject())).outcome, 'handler_failed');
    failing = false;
    assert.equal((await retried.receive(body, headers)).outcome, 'processed');
  }
});

test('the answer waits for onError', async () => {
  const told = [];
  const onError = async (error) => {
    await new Promise(setImmediate);
    told.push(error.code ?? error.message);
  };
  const failing = receiver(() => { throw new Error('delivered'); }, { onError });
  const { body, headers } = event('evt_1');
  await failing.receive(body, headers);
  assert.deepEqual(told, ['delivered']);
  await failing.backfill('a', () => { throw new Error('listed'); });
  assert.deepEqual(told, ['delivered', 'listed']);

  told.length = 0;
  const down = async () => { throw new Error('down'); };
  const store = Store.of({ claim: down, commit: down, release: down, renew: down });
  const storeless = receiver(() => {}, { onError, store });
  await storeless.receive(body, headers);
  assert.deepEqual(told, ['store_unavailable']);
  await storeless.backfill('a', () => {});
  assert.deepEqual(told, ['store_unavailable', 'store_unavailable']);
});

test('a handler that never ran has failed', async () => {
  const run = () => assert.fail('it ran');
  const generators = [function* () { run(); }, async function* () { run(); }];
  for (const generator of generators) {
    assert.equal(await codeOf(() => receiver(generator)), 'invalid_option');
    assert.equal(await codeOf(() => receiver(() => {}, { onError: generator })), 'invalid_option');
    assert.equal(await codeOf(() => receiver(() => {}).backfill('a', generator)), 'invalid_option');
    assert.equal(await codeOf(() => Store.of({ claim: run, commit: generator, release: run, renew: run })), 'invalid_option');
  }
  assert.equal(await codeOf(() => receiver(() => {}).backfill('a')), 'invalid_option');
  // As compilers write them for older hosts.
  generators.push(() => ({ next: run, throw: run, return: run }));
  for (const generator of generators) {
    for (const onEvent of [() => generator(), async () => generator()]) {
      const errors = [];
      const lazy = receiver(onEvent, { onError: (error) => errors.push(error.code) });
      const { body, headers } = event('evt_1');
      for (const store of ['claimed', 'released']) {
        assert.deepEqual(await lazy.receive(body, headers), { status: 500, retryAfter: null, outcome: 'handler_failed', code: 'handler_failed' }, store);
      }
      assert.equal((await lazy.backfill('a', onEvent)).outcome, 'handler_failed');
      assert.deepEqual(errors, ['invalid_option', 'invalid_option', 'invalid_option']);
    }
  }
  assert.equal((await receiver(() => [1].values()).receive(...Object.values(event('evt_1')))).outcome, 'processed');
});

test('what a handler throws is logged, once, unless someone is told', async (context) => {
  const logged = context.mock.method(console, 'error', () => {});
  const thrown = new TypeError('cannot read properties of undefined');
  const fail = () => { throw thrown; };
  const { body, headers } = event('evt_1');
  const silent = receiver(fail);
  await silent.receive(body, headers);
  assert.deepEqual(logged.mock.calls.map((call) => call.arguments.at(-1)), [thrown]);
  await silent.backfill('a', fail);
  assert.equal(logged.mock.callCount(), 2);
  await receiver(fail, { onError: () => {} }).receive(body, headers);
  await receiver(() => {}).receive(body, headers);
  assert.equal(logged.mock.callCount(), 2);
});

test('an event that is being handled is asked to come again', async () => {
  let finish;
  const slow = receiver(() => new Promise((resolve) => { finish = resolve; }));
  const { body, headers } = event('evt_1');
  const first = slow.receive(body, headers);
  while (finish === undefined) {
    await new Promise(setImmediate);
  }
  const second = await slow.receive(body, headers);
  assert.deepEqual([second.status, second.outcome, second.retryAfter > 0 && second.retryAfter <= 60], [503, 'in_flight', true]);
  finish();
  assert.equal((await first).outcome, 'processed');
});

test('what is forged, malformed or too large never reaches the handler', async () => {
  const strict = receiver(() => assert.fail('it did'), { bodyLimit: 64 });
  const { body, headers } = event('evt_1');
  assert.equal((await strict.receive('{}', headers)).status, 401);
  assert.equal((await strict.receive(body, {})).code, 'missing_header');
  const malformed = new Signer('health', SECRET).sign('[]');
  assert.deepEqual((await strict.receive(malformed.body, malformed.headers)).status, 500);
  assert.equal((await strict.receive('x'.repeat(65), headers)).status, 413);
  const curae = new Receiver({ verifier: new Verifier('curae', SECRET), store: new MemoryStore(), onEvent: () => {} });
  assert.equal((await curae.receive('{}', { 'curaeai-signature': `t=1,v1=${'0'.repeat(64)}` })).status, 400);
  assert.equal((await curae.receive(Buffer.alloc(curae.bodyLimit + 1), {})).status, 500);
  assert.equal(curae.unreadable().outcome, 'body_unreadable');
});

test('handles web-standard requests', async () => {
  const handled = [];
  const web = receiver((one) => handled.push(one.id), { bodyLimit: 1000 });
  const { body, headers } = event('evt_1');
  const post = (init) => web.handle(new Request('http://a/hook', { method: 'POST', duplex: 'half', ...init }));
  const answer = await post({ body, headers });
  assert.deepEqual([answer.status, await answer.text()], [200, 'processed']);
  assert.equal((await post({ body: 'x'.repeat(1001), headers })).status, 413);
  assert.equal((await post({ headers })).status, 401);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  assert.equal((await post({ body: broken, headers })).status, 500);
  const used = new Request('http://a/hook', { method: 'POST', body, headers });
  await used.text();
  assert.equal(await codeOf(() => web.handle(used)), 'body_already_parsed');
  const locked = new Request('http://a/hook', { method: 'POST', body, headers });
  locked.body.getReader();
  assert.equal(await codeOf(() => web.handle(locked)), 'body_already_parsed');
  const gone = new Uint8Array(body);
  structuredClone(gone, { transfer: [gone.buffer] });
  assert.equal(await codeOf(() => web.receive(gone, headers)), 'body_already_parsed');
  assert.deepEqual(handled, ['evt_1']);
});

test('handles requests of hosts that show the body otherwise', async () => {
  const web = receiver(() => {});
  const { body, headers: given } = event('evt_1');
  const headers = new Headers(given);
  const hidden = (arrayBuffer) => web.handle({ headers, bodyUsed: false, arrayBuffer });
  assert.equal(await (await hidden(async () => new Uint8Array(body).buffer)).text(), 'processed');
  assert.equal((await hidden(() => Promise.reject(new Error('gone')))).status, 500);
  const arrayBuffer = () => assert.fail('it was asked for');
  assert.equal(await codeOf(() => web.handle({ headers, bodyUsed: false, body: Readable.from([body]), arrayBuffer })), 'body_already_parsed');
  // A source may write its next chunk where the last one stood.
  const memory = new Uint8Array(8);
  let at = 0;
  const source = {
    pull(controller) {
      const part = body.subarray(at, (at += memory.length));
      memory.set(part);
      return part.length > 0 ? controller.enqueue(memory.subarray(0, part.length)) : controller.close();
    },
  };
  const parts = new ReadableStream(source, { highWaterMark: 0 });
  const answer = await web.handle(new Request('http://a/hook', { method: 'POST', duplex: 'half', body: parts, headers }));
  assert.equal(await answer.text(), 'duplicate');
});

test('what is no web request is refused, and says so', async () => {
  const web = receiver(() => {});
  const { headers } = event('evt_1');
  const odd = [undefined, null, 'POST', {}, { headers, body: {} }, { headers, body: null }, { arrayBuffer: async () => new ArrayBuffer() }];
  for (const request of odd) {
    await assert.rejects(async () => web.handle(request), { name: 'ConfigError', code: 'invalid_option', message: /not a web Request/ });
  }
});

test('a mistaken option is named', () => {
  const [verifier, store] = [new Verifier('health', SECRET), new MemoryStore()];
  for (const [options, name] of [
    [{ verifier, store: MemoryStore }, /^store /], [{ verifier }, /^store /], [{ verifier: Verifier, store }, /^verifier /], [{ store }, /^verifier /],
    [{ verifier, store, onEvnt() {} }, / onEvnt;/],
  ]) {
    assert.throws(() => new Receiver(options), { code: 'invalid_option', message: name });
  }
});

test('what the host stops with the request is given to it to go on with', async (t) => {
  let goOn;
  const slow = receiver(() => new Promise((resolve) => { goOn = resolve; }));
  const { body, headers } = event('evt_1');
  const given = [];
  const waitUntil = (work) => { given.push(work); };
  const answer = slow.handle(new Request('http://a/hook', { method: 'POST', body, headers }), { waitUntil });
  assert.deepEqual(given, [answer]);
  while (goOn === undefined) {
    await new Promise(setImmediate);
  }
  goOn();
  assert.equal((await answer).status, 200);
  // Other hosts give something else along with it, and some want to be asked by themselves.
  const logged = t.mock.method(console, 'error', () => {});
  const refused = new TypeError('Illegal invocation');
  for (const context of [{ params: {} }, { waitUntil: 7 }, { waitUntil() { throw refused; } }]) {
    assert.equal((await slow.handle(new Request('http://a/hook', { method: 'POST', body, headers }), context)).status, 200);
  }
  assert.equal(logged.mock.calls.length, 2);
  assert.equal(logged.mock.calls[1].arguments[1], refused);
});

test('a stream of what is not bytes is refused, and called off', async () => {
  const strict = receiver(() => assert.fail('it did'));
  const { body, headers } = event('evt_1');
  for (const chunk of [body.toString(), '', null, undefined, {}, 7]) {
    let calls = 0;
    const parsed = new ReadableStream({ pull: (controller) => controller.enqueue(chunk), cancel: () => { calls += 1; } });
    const request = new Request('http://a/hook', { method: 'POST', duplex: 'half', body: parsed, headers });
    assert.deepEqual([await codeOf(() => strict.handle(request)), calls], ['body_already_parsed', 1]);
  }
});

test('a body in small chunks keeps no more memory than it has bytes', async () => {
  const strict = receiver(() => assert.fail('it did'));
  const before = await held();
  let left = 1_000;
  let kept;
  const parts = new ReadableStream({
    async pull(controller) {
      left -= 1;
      if (left > 0) {
        controller.enqueue(new Uint8Array(1 << 16).subarray(0, 1));
        return;
      }
      kept = await held() - before;
      controller.close();
    },
  });
  const answer = await strict.handle(new Request('http://a/hook', { method: 'POST', duplex: 'half', body: parts, headers: event('evt_1').headers }));
  assert.equal(await answer.text(), 'signature_mismatch');
  assert.ok(kept < 4 << 20, `${kept} bytes`);
});

test('a body is whole, however it is cut', async () => {
  const { body, headers } = event('e'.repeat(5_000));
  for (const size of [1, 2, 3, 100, 4_096, 5_000, 10_000]) {
    const cut = [new Uint8Array(), ...Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size))];
    const stream = () => new ReadableStream({
      start: (controller) => {
        cut.forEach((part) => controller.enqueue(new Uint8Array(part)));
        controller.close();
      },
    });
    for (const [bodyLimit, outcome] of [[body.length, 'processed'], [body.length - 1, 'body_too_large']]) {
      const request = new Request('http://a/hook', { method: 'POST', duplex: 'half', body: stream(), headers });
      assert.equal(await (await receiver(() => {}, { bodyLimit }).handle(request)).text(), outcome, `${size} of ${bodyLimit}`);
    }
  }
});

test('a body that is too large is called off, whatever that does', async () => {
  const small = receiver(() => assert.fail('it did'), { bodyLimit: 10 });
  for (const cancelled of [() => {}, () => Promise.reject(new Error('no')), () => new Promise(() => {})]) {
    for (const size of [4, 11, 12]) {
      let [calls, pulls] = [0, 0];
      const body = new ReadableStream({
        pull: (controller) => ((pulls += 1) < 9 ? controller.enqueue(new Uint8Array(size)) : controller.error(new Error('it was not'))),
        cancel: () => {
          calls += 1;
          return cancelled();
        },
      });
      const answer = await small.handle(new Request('http://a/hook', { method: 'POST', duplex: 'half', body, headers: event('evt_1').headers }));
      assert.deepEqual([answer.status, calls], [413, 1]);
    }
  }
});

test('a back-filled event counts once with its delivery', async () => {
  const once = receiver(() => {});
  const { body, headers } = event('evt_1');
  let handled = 0;
  const backfill = () => once.backfill('health:evt_1:phi.read', () => { handled += 1; });
  assert.deepEqual(await backfill(), { outcome: 'processed', code: null, retryAfter: null });
  assert.deepEqual(await backfill(), { outcome: 'duplicate', code: null, retryAfter: null });
  assert.equal((await once.receive(body, headers)).outcome, 'duplicate');
  assert.equal(handled, 1);
  const failed = await once.backfill('health:evt_2:phi.read', () => { throw new Error('no'); });
  assert.deepEqual(failed, { outcome: 'handler_failed', code: 'handler_failed', retryAfter: null });
});

const DONE = { status: 200, retryAfter: null, outcome: 'processed', code: null };
const LOST = { status: 503, retryAfter: 5, outcome: 'lease_lost', code: 'lease_lost' };

/** Begins the same delivery again and again. */
function beginning(options) {
  const { body, headers } = event('evt_1');
  const made = receiver(undefined, options);
  return (forged) => made.begin(forged ?? body, headers);
}

test('work is handed over or answered', async () => {
  const begin = beginning();
  const { status, outcome } = await begin('{}');
  assert.deepEqual([status, outcome], [401, 'signature_mismatch']);
  const work = await begin();
  assert.ok(work instanceof Work);
  assert.deepEqual([work.event.id, work.key, work.epoch, work.delivery.key], ['evt_1', 'health:evt_1:phi.read', 1, work.key]);
  const meanwhile = await begin();
  assert.deepEqual([meanwhile.status, meanwhile.outcome, meanwhile.retryAfter > 0 && meanwhile.retryAfter <= 60], [503, 'in_flight', true]);
  assert.deepEqual(await work.done(), DONE);
  assert.deepEqual(await begin(), { ...DONE, outcome: 'duplicate' });
});

test('work that is released comes again', async () => {
  const begin = beginning();
  const first = await begin();
  assert.deepEqual(await first.release(), { status: 500, retryAfter: null, outcome: 'handler_failed', code: 'handler_failed' });
  assert.ok((await begin()).epoch > first.epoch);
});

test('what is committed elsewhere is not committed here', async () => {
  const begin = beginning();
  assert.deepEqual(await (await begin()).committed(), DONE);
  assert.equal((await begin()).outcome, 'in_flight');
});

test('work is ended once', async () => {
  for (const end of ['done', 'committed', 'release']) {
    const work = await beginning()();
    await work[end]();
    for (const again of ['done', 'committed', 'release', 'renew']) {
      assert.equal(await codeOf(() => work[again]()), 'invalid_option', `${end}, ${again}`);
    }
  }
});

test('work that is dropped is left to its lease', async () => {
  const begin = beginning();
  assert.equal((await begin()).epoch, 1);
  globalThis.gc?.();
  assert.equal((await begin()).outcome, 'in_flight');
  const soon = beginning({ store: new MemoryStore({ lease: 0.02 }) });
  assert.equal((await soon()).epoch, 1);
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal((await soon()).epoch, 2);
});

test('work is renewed until it is taken over', async () => {
  const begin = beginning({ store: new MemoryStore({ lease: 0.05 }) });
  const work = await begin();
  await new Promise((resolve) => setTimeout(resolve, 80));
  await work.renew();
  await new Promise((resolve) => setTimeout(resolve, 80));
  const other = await begin();
  assert.ok(other.epoch > work.epoch);
  await assert.rejects(work.renew(), (error) => error instanceof StoreError && error.code === 'lease_lost');
  assert.deepEqual(await work.release(), LOST);
  assert.deepEqual(await other.done(), DONE);
});

test('a handler that loses its lease and fails is asked again later', async () => {
  const store = new MemoryStore({ lease: 0.02 });
  const { body, headers } = event('evt_1');
  const slow = receiver(async (_, { key }) => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    assert.equal((await store.claim(key)).state, 'fresh');
    throw new Error('too late');
  }, { store });
  assert.deepEqual(await slow.receive(body, headers), LOST);
});

test('a receiver without a handler claims nothing that it does not hand over', async () => {
  const store = new MemoryStore();
  const bare = receiver(undefined, { store });
  const { body, headers } = event('evt_1');
  assert.equal(await codeOf(() => bare.receive(body, headers)), 'invalid_option');
  assert.equal(await codeOf(() => bare.handle(new Request('http://a/hook', { method: 'POST', body, headers }))), 'invalid_option');
  assert.equal(store.size, 0);
  // One that is missing by mistake is not found at the first delivery.
  for (const onEvent of [undefined, null]) {
    assert.equal(await codeOf(() => receiver(undefined, { onEvent })), 'invalid_option');
  }
});

test('claims are committed, released, renewed and lost', async () => {
  const store = new MemoryStore({ lease: 60, retention: 24 * 3600, capacity: 2 });
  const { lease, state } = await store.claim('a');
  assert.equal(state, 'fresh');
  assert.equal((await store.claim('a')).state, 'in_flight');
  await lease.renew();
  await lease.commit();
  assert.deepEqual(await store.claim('a'), { state: 'done' });
  assert.equal(await codeOf(() => lease.commit()), 'lease_lost');
  assert.ok((await lease.release().catch((error) => error)) instanceof StoreError);
  const second = (await store.claim('b')).lease;
  await second.release();
  const third = (await store.claim('b')).lease;
  assert.ok(third.epoch > second.epoch);
  await third[Symbol.asyncDispose]();
  assert.equal((await store.claim('b')).state, 'fresh');
  assert.equal((await store.claim('c')).state, 'fresh');
  assert.equal(store.droppedEarly, 1);
  assert.equal(store.size, 2);
  assert.equal(await codeOf(() => store.claim('d')), 'store_full');
});

test('a lease that is committed is left alone when it is disposed of', async () => {
  const store = new MemoryStore();
  const { lease } = await store.claim('a');
  await lease.commit();
  await lease[Symbol.asyncDispose]();
  assert.equal((await store.claim('a')).state, 'done');
});

test('a lease runs out', async () => {
  const store = new MemoryStore({ lease: 0.02 });
  const first = (await store.claim('a')).lease;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal((await store.claim('a')).state, 'fresh');
  assert.equal(await codeOf(() => first.commit()), 'lease_lost');
});

test('store options are checked', async () => {
  assert.equal(await codeOf(() => new MemoryStore({ retention: 60 })), 'invalid_retention');
  assert.equal(await codeOf(() => new MemoryStore({ lease: 0 })), 'invalid_lease');
  for (const seconds of [-1, NaN, Infinity]) {
    assert.equal(await codeOf(() => new MemoryStore({ lease: seconds })), 'invalid_lease');
    assert.equal(await codeOf(() => new MemoryStore({ retention: seconds })), 'invalid_retention');
  }
  assert.equal(await codeOf(() => new MemoryStore({ capacity: 0 })), 'invalid_capacity');
  assert.equal(await codeOf(() => new MemoryStore({ capacity: -1, retention: 1 })), 'invalid_retention');
  assert.equal(await codeOf(() => new MemoryStore({ size: 1 })), 'invalid_option');
  assert.equal(new MemoryStore({ dangerousShortRetention: 120 }).size, 0);
  for (const capacity of [1.5, NaN, Infinity, -1]) {
    assert.equal(await codeOf(() => new MemoryStore({ capacity })), 'invalid_option');
  }
  assert.equal(await codeOf(() => receiver('handle')), 'invalid_option');
  for (const bodyLimit of [NaN, -1, 0.5, Infinity]) {
    assert.equal(await codeOf(() => receiver(() => {}, { bodyLimit })), 'invalid_option');
  }
});

/** The contract of a store, in a `Map`. */
function custom() {
  const keys = new Map();
  let epoch = 0;
  const held = (key, own) => {
    const found = keys.get(key);
    if (found?.epoch !== own) {
      throw new StoreError('lease_lost', 'someone else has it');
    }
    return found;
  };
  return {
    async claim(key) {
      const found = keys.get(key);
      if (found !== undefined) {
        return found.epoch === null ? { state: 'done' } : { state: 'in_flight', retryAfter: 7 };
      }
      keys.set(key, { epoch: ++epoch });
      return { state: 'fresh', epoch };
    },
    async commit(key, own) { held(key, own).epoch = null; },
    async release(key, own) { held(key, own); keys.delete(key); },
    async renew(key, own) { held(key, own); },
  };
}

test('a store of your own', async () => {
  const store = Store.of(custom());
  const { lease } = await store.claim('a');
  assert.deepEqual(await store.claim('a'), { state: 'in_flight', retryAfter: 7 });
  await lease.renew();
  await lease.commit();
  assert.equal((await store.claim('a')).state, 'done');
  assert.equal(await codeOf(() => lease.release()), 'lease_lost');
  const once = receiver(() => {}, { store });
  const { body, headers } = event('evt_1');
  assert.equal((await once.receive(body, headers)).outcome, 'processed');
  assert.equal((await once.receive(body, headers)).outcome, 'duplicate');
});

test('a store of your own that commits with the effects is not asked to commit', async () => {
  const own = custom();
  const begin = beginning({ store: Store.of({ ...own, commit: () => assert.fail('it was'), release: () => assert.fail('it was') }) });
  const work = await begin();
  await work.renew();
  await own.commit(work.key, work.epoch);
  assert.deepEqual(await work.committed(), DONE);
  assert.equal((await begin()).outcome, 'duplicate');
});

test('a store that fails is unavailable, whatever it throws', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  for (const claim of [() => { throw new Error('password=hunter2'); }, async () => ({}), async () => null, async () => ({ state: 'ok' }),
    async () => ({ state: 'fresh' }), async () => ({ state: 'fresh', epoch: 1.5 }), async () => ({ state: 'fresh', epoch: 1n }),
    async () => ({ state: 'in_flight' }), async () => ({ state: 'in_flight', retryAfter: NaN }), async () => { throw new StoreError('done', 'x'); }]) {
    const store = Store.of({ ...custom(), claim });
    await assert.rejects(store.claim('a'), (error) => error instanceof StoreError && error.code === 'store_unavailable' && !error.message.includes('hunter2'));
    const { body, headers } = event('evt_1');
    const told = [];
    const unlucky = receiver(() => assert.fail('it did'), { store, onError: (error) => told.push(error) });
    const reply = await unlucky.receive(body, headers);
    assert.deepEqual([reply.status, reply.outcome, reply.retryAfter], [503, 'store_unavailable', 5]);
    assert.equal((await unlucky.backfill('a', () => assert.fail('it did'))).outcome, 'store_unavailable');
    assert.deepEqual(told.map((error) => [error instanceof StoreError, error.code]), Array(2).fill([true, 'store_unavailable']));
    assert.ok(told.every(({ message }) => message.length > 'the store is unavailable: '.length && !message.includes('hunter2')));
  }
  const [first, ...others] = logged.mock.calls.map(({ arguments: [, error] }) => error.message);
  assert.deepEqual([first, [...new Set(others)]], ['password=hunter2', ['password=hunter2', 'x']]);
});

test('an error whose code and message are swapped is refused', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  for (const code of ['It was taken over', undefined, 7]) {
    assert.equal(await codeOf(() => new StoreError(code, 'lease_lost')), 'invalid_option');
  }
  const store = Store.of({ ...custom(), commit: async () => { throw new StoreError('it was taken over', 'lease_lost'); } });
  const { lease } = await store.claim('a');
  assert.equal(await codeOf(() => lease.commit()), 'store_unavailable');
  assert.match(logged.mock.calls.at(-1).arguments[1].message, /pass the code first/);
});

test('a store may throw what can be neither looked at nor logged', async (t) => {
  t.mock.method(console, 'error', (_, error) => `${error}`);
  const sealed = () => { throw new Error('sealed'); };
  for (const thrown of [new Proxy({}, { get: sealed, getPrototypeOf: sealed }), { toString: sealed }]) {
    const failing = async () => { throw thrown; };
    const { body, headers } = event('evt_1');
    for (const verb of ['claim', 'commit']) {
      const reply = await receiver(() => {}, { store: Store.of({ ...custom(), [verb]: failing }), onError: () => {} }).receive(body, headers);
      assert.deepEqual([reply.status, reply.outcome], [503, 'store_unavailable']);
    }
    const told = [];
    const store = Store.of({ ...custom(), release: failing });
    const reply = await receiver(() => { throw 'mine'; }, { store, onError: (error) => told.push(error) }).receive(body, headers);
    assert.deepEqual([reply.status, reply.outcome, told], [500, 'handler_failed', ['mine']]);
  }
});

test('onError is told why a claim could not be committed', async () => {
  const told = [];
  const store = Store.of({ ...custom(), commit: async () => { throw new StoreError('lease_lost', 'x'); } });
  const late = receiver(() => {}, { store, onError: (error) => told.push(error) });
  const { body, headers } = event('evt_1');
  assert.equal((await late.receive(body, headers)).outcome, 'lease_lost');
  const work = await late.begin(...Object.values(event('evt_2')));
  assert.equal((await work.done()).outcome, 'lease_lost');
  assert.equal((await late.backfill('a', () => {})).outcome, 'lease_lost');
  assert.deepEqual(told.map((error) => [error instanceof StoreError, error.code]), Array(3).fill([true, 'lease_lost']));
});

test('onError is told of a genuine delivery that is refused, and of no forgery', async () => {
  const told = [];
  const onError = (error) => told.push(error);
  const refusing = (scheme) => new Receiver({ verifier: new Verifier(scheme, SECRET), store: new MemoryStore(), onEvent: assert.fail, onError });
  const genuine = [
    ['health', '{"id":"canary","type":', {}, 'malformed_event'],
    ['curae', '{"eventId":"canary","eventType":"a","data":{}}', { 'CuraeAI-Event-Id': 'canary-2' }, 'header_body_mismatch'],
  ];
  for (const [scheme, body, changed, code] of genuine) {
    const headers = { ...new Signer(scheme, SECRET).sign(body).headers, ...changed };
    const one = refusing(scheme);
    assert.equal((await one.receive(body, headers)).outcome, code);
    assert.equal((await one.begin(body, headers)).outcome, code);
    assert.deepEqual(told.map((error) => [error instanceof VerificationError, error.code]), Array(2).fill([true, code]));
    assert.ok(told.every(({ message }) => message.length > 0 && !message.includes('canary')));
    told.length = 0;
    const forged = new Signer(scheme, 'another secret').sign(body).headers;
    assert.equal((await one.receive(body, forged)).outcome, 'signature_mismatch');
    assert.equal((await one.receive(body, {})).outcome, 'missing_header');
    assert.deepEqual(told, []);
  }
});

test('onReply is called with every reply, and changes none', async () => {
  const seen = [];
  const onReply = async (reply) => {
    await new Promise(setImmediate);
    seen.push(`${reply.status} ${reply.outcome} ${reply.code}`);
    reply.status = 299;
    throw new Error('metrics down');
  };
  let failing = true;
  const counted = receiver(() => { if (failing) throw new Error('away'); }, { onReply, onError: () => {} });
  const { body, headers } = event('evt_1');
  assert.equal((await counted.receive(body, headers)).status, 500);
  failing = false;
  assert.equal((await counted.receive(body, headers)).status, 200);
  assert.equal((await counted.handle(new Request('http://a', { method: 'POST', body, headers }))).status, 200);
  await counted.receive(body, {});
  await (await counted.begin(...Object.values(event('evt_2')))).done();
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  await counted.handle(new Request('http://a', { method: 'POST', body: broken, headers, duplex: 'half' }));
  assert.deepEqual(seen, [
    '500 handler_failed handler_failed', '200 processed null', '200 duplicate null', '401 missing_header missing_header', '200 processed null',
    '500 body_unreadable body_unreadable',
  ]);
  seen.length = 0;
  assert.equal(counted.unreadable().status, 500);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.deepEqual(seen, ['500 body_unreadable body_unreadable']);
  assert.equal(await codeOf(() => receiver(() => {}, { onReply: 1 })), 'invalid_option');
});

test('a store that fails to commit has not committed', async (t) => {
  t.mock.method(console, 'error', () => {});
  const store = Store.of({ ...custom(), commit: async () => { throw new StoreError('ok', 'x'); } });
  const { body, headers } = event('evt_1');
  assert.equal((await receiver(() => {}, { store }).receive(body, headers)).outcome, 'store_unavailable');
});

test('what a verb of a store returns is not taken for success', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  for (const verb of ['commit', 'release', 'renew']) {
    for (const returned of [false, true, 0, '', 'lost', { changes: 0 }, new StoreError('lease_lost', 'x')]) {
      const { lease } = await Store.of({ ...custom(), [verb]: async () => returned }).claim('a');
      assert.equal(await codeOf(() => lease[verb]()), 'store_unavailable');
      assert.match(logged.mock.calls.at(-1).arguments[1].message, new RegExp(`\`${verb}\` of a store returns nothing`));
    }
    const { lease } = await Store.of({ ...custom(), [verb]: async () => null }).claim('a');
    await lease[verb]();
  }
});

test('what was handled is not handled again because a connection broke', async () => {
  for (const [made, first] of [[false, 'processed'], [true, 'store_unavailable']]) {
    const own = custom();
    let commits = 0;
    const commit = async (key, epoch) => {
      commits += 1;
      if (commits > 1 || made) {
        await own.commit(key, epoch);
      }
      if (commits === 1) {
        throw new Error('the connection broke');
      }
    };
    let handled = 0;
    const once = receiver(() => { handled += 1; }, { store: Store.of({ ...own, commit }) });
    const { body, headers } = event('evt_1');
    assert.equal((await once.receive(body, headers)).outcome, first);
    assert.equal((await once.receive(body, headers)).outcome, 'duplicate');
    assert.deepEqual([handled, commits], [1, 2]);
  }
});

test('what is no store is refused at once', async () => {
  class Counting extends MemoryStore {}
  class Own extends Store {}
  for (const make of [() => new Counting(), () => new Own(), () => Store.of({}), () => Store.of(null), () => Store.of({ claim() {} })]) {
    assert.equal(await codeOf(make), 'invalid_option', make.toString());
  }
});
