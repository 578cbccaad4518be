// The contract of a store, on all four stores: the checks of the core's suite, from Node.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import pg from 'pg';
import { openStore, Receiver, Signer, Store, StoreError, VeloraError, Verifier, Work } from 'velora';
import { codeOf, remove, ROOT, saysUsage, SECRET, servers } from './support.mjs';

const KEY = 'health:evt_1:phi.read';
// Longer than a busy machine stands still; and one that is meant to run out.
const [LEASE, SHORT] = [60, 0.1];
const PATIENT = { timeout: 30 };

const folder = mkdtempSync(join(tmpdir(), 'velora-stores-'));
const places = servers();
after(() => {
  places.end();
  return remove(folder);
});
let made = 0;

const PLACES = {
  memory: () => 'memory:',
  sqlite: () => `sqlite://${join(folder, `${(made += 1)}.db`)}`,
  postgres: () => places.url('postgres'),
  redis: () => places.url('redis'),
};

async function fresh(store, key = KEY) {
  const claim = await store.claim(key);
  assert.equal(claim.state, 'fresh');
  return claim.lease;
}

async function lost(lease) {
  for (const verb of ['renew', 'release', 'commit']) {
    assert.equal(await codeOf(() => lease[verb]()), 'lease_lost', verb);
  }
}

for (const [kind, place] of Object.entries(PLACES).filter(([kind]) => kind !== 'memory')) {
  test(`${kind}: each of two tenants gets an event that both are sent`, async () => {
    const url = await place();
    const handled = [];
    const receive = async (tenant) => {
      const store = openStore(url, { ...PATIENT, namespace: tenant });
      const verifier = new Verifier('health', SECRET);
      const receiver = new Receiver({ verifier, store, onEvent: () => void handled.push(tenant) });
      const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
      return (await receiver.receive(body, headers)).outcome;
    };
    assert.equal(await receive('north'), 'processed');
    assert.equal(await receive('south'), 'processed');
    assert.equal(await receive('north'), 'duplicate');
    assert.deepEqual(handled, ['north', 'south']);
  });
}

for (const [kind, place] of Object.entries(PLACES)) {
  const opened = async (options) => {
    const store = openStore(await place(), { ...PATIENT, ...options });
    assert.ok(store instanceof Store);
    await store.ready();
    return store;
  };

  test(`${kind}: what is closed forgets nothing`, async () => {
    const store = await opened({ lease: LEASE });
    const [done, held] = [await fresh(store, 'done'), await fresh(store, 'held')];
    await done.commit();
    store.close();
    store[Symbol.dispose]();
    assert.deepEqual([(await store.claim('done')).state, (await store.claim('held')).state], ['done', 'in_flight']);
    await held.commit();
  });

  test(`${kind}: a claim is fresh once`, async () => {
    const store = await opened({ lease: LEASE });
    await fresh(store);
    const again = await store.claim(KEY);
    assert.deepEqual([again.state, again.retryAfter > 0 && again.retryAfter <= LEASE], ['in_flight', true]);
    await fresh(store, 'another');
  });

  test(`${kind}: what is committed is done, what is released is free`, async () => {
    const store = await opened();
    const first = await fresh(store);
    await first.release();
    await lost(first);
    const second = await fresh(store);
    assert.ok(second.epoch > first.epoch);
    await second.commit();
    assert.equal((await store.claim(KEY)).state, 'done');
    await lost(first);
    await lost(second);
  });

  test(`${kind}: a lease that ran out is taken over`, async () => {
    const store = await opened({ lease: SHORT });
    const first = await fresh(store);
    await sleep(2_000 * SHORT);
    const second = await fresh(store);
    assert.ok(second.epoch > first.epoch);
    await lost(first);
    await second.commit();
    await lost(first);
  });

  test(`${kind}: one that nobody took over may go on`, async () => {
    const store = await opened({ lease: SHORT });
    const lease = await fresh(store);
    await sleep(2_000 * SHORT);
    await lease.renew();
    await lease.commit();
    assert.equal((await store.claim(KEY)).state, 'done');
  });

  test(`${kind}: what is done is forgotten after its retention`, async () => {
    const store = await opened({ lease: SHORT, dangerousShortRetention: 4 * SHORT });
    const first = await fresh(store);
    await first.commit();
    await sleep(6_000 * SHORT);
    await fresh(store);
    await lost(first);
  });

  test(`${kind}: of many at once one gets the event, and any text is a key`, async () => {
    const store = await opened({ lease: 60 });
    for (const key of ['', 'a ', '日本', "'", '\0', '}', 'k'.repeat(10_000)]) {
      const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(key)));
      assert.equal(claims.filter(({ state }) => state === 'fresh').length, 1, key);
    }
  });

  test(`${kind}: a receiver stands on it`, async () => {
    const onEvent = () => {};
    const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store: await opened(), onEvent });
    const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
    const outcomes = [await receiver.receive(body, headers), await receiver.receive(body, headers)];
    assert.deepEqual(outcomes.map(({ outcome }) => outcome), ['processed', 'duplicate']);
  });
}

for (const kind of ['sqlite', 'postgres', 'redis']) {
  test(`${kind}: two stores in one place are one`, async () => {
    const url = await PLACES[kind]();
    const [one, other] = [openStore(url, PATIENT), openStore(url, PATIENT)];
    await (await fresh(one)).commit();
    assert.equal((await other.claim(KEY)).state, 'done');
  });
}

test('what is closed gives its connections back', async () => {
  const url = await PLACES.postgres();
  const store = openStore(url, PATIENT);
  const client = new pg.Client(url);
  await client.connect();
  const others = 'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
  const connections = async () => (await client.query(others)).rowCount;
  await store.ready();
  assert.ok((await connections()) > 0);
  store.close();
  for (let waits = 0; (await connections()) > 0; waits += 1) {
    assert.ok(waits < 3000, 'they stay open');
    await sleep(10);
  }
  await client.end();
});

test('a store that is not there asks the event to come again', async () => {
  for (const url of ['postgres://nobody@127.0.0.1:1/none', 'redis://127.0.0.1:1', `sqlite://${folder}/none/claims.db`]) {
    const store = openStore(url, { timeout: 2 });
    assert.equal(await codeOf(() => store.ready()), 'store_unavailable');
    let handled = 0;
    const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store, onEvent: () => { handled += 1; } });
    const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
    const { status, outcome, retryAfter } = await receiver.receive(body, headers);
    assert.deepEqual([status, outcome, retryAfter > 0, handled], [503, 'store_unavailable', true, 0]);
  }
});

test('a URL that names no store is refused, and not shown', async () => {
  const canary = 'canary-password';
  const odd = ['', 'mysql://a', 'sqlite:', `postgres://u:${canary}@`, `redis://u:${canary}@a:b`, `postgres://u:${canary}@a:b/c`, 7, undefined];
  for (const url of odd) {
    assert.throws(() => openStore(url), (error) => {
      assert.ok(error instanceof VeloraError && error.code === 'invalid_option', String(url));
      assert.match(error.message, /^url |`url`/);
      return !inspect(error, { depth: 5, showHidden: true }).includes(canary);
    });
  }
  for (const [kind, rest] of [['memory', ''], ['sqlite', `//${canary}.db`], ['postgresql', `//u:${canary}@a/b`], ['rediss', `//u:${canary}@a`]]) {
    assert.equal(inspect(openStore(`${kind}:${rest}`)), `DurableStore(${kind})`);
  }
  const store = openStore(`postgres://u:${canary}@127.0.0.1:1/none`, { timeout: 1 });
  const error = await store.claim(KEY).catch((error) => error);
  assert.ok(error instanceof StoreError);
  assert.ok(!inspect([store, error], { depth: 5, showHidden: true }).includes(canary));
});

test('options are checked', async () => {
  for (const timeout of [0, -1, NaN, Infinity, 61, '3']) {
    assert.equal(await codeOf(() => openStore('memory:', { timeout })), 'invalid_option', String(timeout));
  }
  for (const connections of [0, -1, 1.5, NaN]) {
    assert.equal(await codeOf(() => openStore('memory:', { connections })), 'invalid_option', String(connections));
  }
  assert.equal(await codeOf(() => openStore('memory:', { lease: 0 })), 'invalid_lease');
  assert.equal(await codeOf(() => openStore('memory:', { retention: 60 })), 'invalid_retention');
  for (const namespace of ['', 'a/b', 'n'.repeat(65), 7]) {
    assert.equal(await codeOf(() => openStore('memory:', { namespace })), 'invalid_option', String(namespace));
  }
  assert.equal(await codeOf(() => openStore('memory:', { capacity: 1 })), 'invalid_option');
});

/** A store in PostgreSQL, and clients of its database in which there are effects. */
async function shop(context, options) {
  const url = await PLACES.postgres();
  const store = openStore(url, { ...PATIENT, ...options });
  await store.ready();
  const connect = async () => {
    const client = new pg.Client(url);
    await client.connect();
    context.after(() => client.end());
    return client;
  };
  const client = await connect();
  await client.query('CREATE TABLE effects (amount integer)');
  const effects = async () => Number((await client.query('SELECT count(*) FROM effects')).rows[0].count);
  const work = async (on = client) => {
    const claim = await store.claimIn(on, KEY);
    if (claim.state === 'fresh') {
      await on.query('INSERT INTO effects VALUES (100)');
      await store.commitIn(on, KEY, claim.epoch);
    }
    return claim;
  };
  return { url, store, client, connect, effects, work };
}

test('claim and effect are committed together, or neither is', async (context) => {
  const { store, client, effects, work } = await shop(context);
  await client.query('BEGIN');
  assert.equal((await work()).state, 'fresh');
  assert.deepEqual(await work(), { state: 'done' });
  await client.query('ROLLBACK');
  assert.equal(await effects(), 0);
  await client.query('BEGIN');
  assert.equal((await work()).state, 'fresh');
  await client.query('COMMIT');
  assert.deepEqual([await effects(), (await store.claim(KEY)).state], [1, 'done']);
});

test('a claim in a transaction is in flight for all others', async (context) => {
  const { store, client, connect, effects, work } = await shop(context);
  await client.query('BEGIN');
  await work();
  assert.equal((await store.claim(KEY)).state, 'in_flight');
  const other = await connect();
  await other.query('BEGIN');
  const claim = await work(other);
  assert.deepEqual([claim.state, claim.retryAfter > 0], ['in_flight', true]);
  await other.query('ROLLBACK');
  await client.query('COMMIT');
  assert.deepEqual([await effects(), (await store.claim(KEY)).state], [1, 'done']);
});

test('a lease that was lost has no effect', async (context) => {
  const { store, client, effects } = await shop(context, { lease: SHORT });
  const first = await fresh(store);
  await sleep(2_000 * SHORT);
  const second = await fresh(store);
  for (const [{ epoch }, code, end] of [[first, 'lease_lost', 'ROLLBACK'], [second, 'nothing was thrown', 'COMMIT']]) {
    await client.query('BEGIN');
    await client.query('INSERT INTO effects VALUES (100)');
    assert.equal(await codeOf(() => store.commitIn(client, KEY, epoch)), code);
    await client.query(end);
  }
  assert.equal(await effects(), 1);
});

/** A receiver with its effects in one transaction, as the README shows it. */
async function service(context, options) {
  const made = await shop(context, options);
  const { store, client } = made;
  const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store });
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
  /** `before` the transaction the claim is held; `last` all of it is written. */
  const receive = async ({ before, last } = {}) => {
    const work = await receiver.begin(body, headers);
    if (!(work instanceof Work)) {
      return work;
    }
    await before?.();
    try {
      await client.query('BEGIN');
      await client.query('INSERT INTO effects VALUES (100)');
      await store.commitIn(client, work.key, work.epoch);
      last?.();
      await client.query('COMMIT');
    } catch {
      await client.query('ROLLBACK');
      return work.release();
    }
    return work.committed();
  };
  return { ...made, receive };
}

test('a receiver writes an effect once, with its claim', async (context) => {
  const { receive, effects } = await service(context);
  assert.deepEqual(await receive(), { status: 200, retryAfter: null, outcome: 'processed', code: null });
  assert.equal((await receive()).outcome, 'duplicate');
  assert.equal((await receive()).outcome, 'duplicate');
  assert.equal(await effects(), 1);
});

test('what fails is rolled back and received again', async (context) => {
  const { receive, effects } = await service(context);
  for (let round = 0; round < 2; round += 1) {
    const { status, outcome } = await receive({ last: () => { throw new Error('no'); } });
    assert.deepEqual([status, outcome, await effects()], [500, 'handler_failed', 0]);
  }
  let meanwhile;
  assert.equal((await receive({ before: async () => { meanwhile = await receive(); } })).outcome, 'processed');
  assert.deepEqual([meanwhile.status, meanwhile.outcome, await effects()], [503, 'in_flight', 1]);
});

test('work that lost its lease is rolled back and asked for again', async (context) => {
  const { store, receive, effects } = await service(context, { lease: SHORT });
  let other;
  const before = async () => {
    await sleep(2_000 * SHORT);
    other = await fresh(store);
  };
  const { status, outcome, retryAfter } = await receive({ before });
  assert.deepEqual([status, outcome, retryAfter, await effects()], [503, 'lease_lost', 5, 0]);
  await other.commit();
  assert.equal((await receive()).outcome, 'duplicate');
});

test('only a client of PostgreSQL that is in a transaction is claimed in', async (context) => {
  const { url, store, client } = await shop(context);
  const pool = new pg.Pool({ connectionString: url });
  context.after(() => pool.end());
  for (const odd of [client, pool, {}, null, undefined, 7]) {
    assert.equal(await codeOf(() => store.claimIn(odd, KEY)), 'invalid_option');
  }
  await client.query('BEGIN');
  for (const other of [openStore('memory:'), openStore(PLACES.sqlite()), openStore('redis://127.0.0.1:1')]) {
    assert.equal(await codeOf(() => other.claimIn(client, KEY)), 'invalid_option');
  }
  for (const epoch of [-1, 1.5, NaN, '1', undefined]) {
    assert.equal(await codeOf(() => store.commitIn(client, KEY, epoch)), 'invalid_option');
  }
  await client.query('ROLLBACK');
});

for (const status of [undefined, () => null]) {
  test(`a client that does not say whether it is in a transaction is found out: ${status}`, async (context) => {
    const { store, client, effects, work } = await shop(context);
    client.getTransactionStatus = status;
    assert.equal(await codeOf(() => work()), 'invalid_option');
    assert.equal(await codeOf(() => store.commitIn(client, KEY, 1)), 'invalid_option');
    await (await fresh(store)).release();
    await client.query('BEGIN');
    assert.equal((await work()).state, 'fresh');
    assert.deepEqual(await work(), { state: 'done' });
    assert.equal(await codeOf(() => client.query('RELEASE SAVEPOINT velora')), '3B001');
    assert.equal(await codeOf(() => work()), '25P02');
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    assert.equal((await work()).state, 'fresh');
    await client.query('COMMIT');
    assert.deepEqual([await effects(), (await store.claim(KEY)).state], [1, 'done']);
  });
}

test('what the client makes of numbers does not matter', async (context) => {
  const { client, work } = await shop(context);
  client.setTypeParser(pg.types.builtins.INT8, BigInt);
  await client.query('BEGIN');
  const { state, epoch } = await work();
  assert.deepEqual([state, typeof epoch], ['fresh', 'number']);
  await client.query('ROLLBACK');
});

for (const kind of Object.keys(PLACES)) {
  test(`${kind}: the command claims`, async () => {
    const asked = ['commit', 'claim', 'claim', 'renew', 'release', 'release', 'claim', 'commit', 'claim', 'odd'];
    const odd = ['', '{"op":"claim",\r"key":"k"}', '{"op":"claim","key":"\u2028"}', '{"op":"claim","key":"\\ud800"}', '\u00a0', 'no case'];
    const input = [...asked.map((op) => JSON.stringify({ op, key: 'k' })), ...odd].join('\n');
    const command = [join(ROOT, 'conformance/node/main.mjs'), 'claim', '--lease', '60', '--store', await PLACES[kind]()];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { input, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const answers = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(
      answers.map(({ state }) => state),
      ['lease_lost', 'fresh', 'in_flight', 'ok', 'ok', 'lease_lost', 'fresh', 'ok', 'done', 'error', 'done', 'fresh', 'error', 'error', 'error'],
    );
    assert.ok(answers[1].epoch < answers[6].epoch);
    assert.deepEqual(answers.at(-1), { state: 'error', code: 'invalid_case' });
  });
}

test('the command says how it is used', () => saysUsage('node'));

test('the command says why there is no store', () => {
  const claim = (...args) => {
    const command = [join(ROOT, 'conformance/node/main.mjs'), 'claim', ...args];
    return spawnSync(process.execPath, command, { input: '', encoding: 'utf8' });
  };
  for (const [args, code] of [
    [['--store', 'mysql://user:canary@host/shop'], 'invalid_option'], [['--store', 'memory:', '--lease', '0'], 'invalid_lease'],
  ]) {
    const { status, stderr } = claim(...args);
    assert.equal(status, 1);
    assert.equal(JSON.parse(stderr.trimEnd().split('\n').at(-1)).code, code);
    assert.ok(!stderr.includes('canary'));
  }
  for (const args of [[], ['--store', 'memory:', '--bogus'], ['--store', 'memory:', '--lease', 'long']]) {
    const { status, stderr } = claim(...args);
    assert.equal(status, 2);
    assert.match(stderr, /^usage: /m);
  }
});
