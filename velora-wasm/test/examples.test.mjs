// The examples, each in its own runtime. If `VELORA_SCREENSHOTS` names a folder, screenshots of the
// page are saved there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Miniflare } from 'miniflare';
import { Signer } from 'velora-wasm';
import { finallyDo, SECRET, temporary } from '../../velora-node/test/support.mjs';
import { browser } from './runtimes/browser.mjs';
import { bundle, programOf, ROOT } from './runtimes/bundle.mjs';
import { serveWorker } from './runtimes/workerd.mjs';

const WORKERD = ['workerd', 'worker', 'browser'];
const example = (name) => join(ROOT, 'examples/edge', name);

/** A delivery as a request. */
function request(id, scheme = 'health', body = { id, type: 'phi.read' }) {
  const signed = new Signer(scheme, SECRET).sign(JSON.stringify(body));
  return { method: 'POST', headers: signed.headers, body: signed.body };
}

async function options(script, more = {}) {
  const { script: contents, modules } = await bundle(script, WORKERD, { external: ['cloudflare:workers'] });
  return {
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents }, ...[...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }))],
    compatibilityDate: '2026-01-01', cf: false, bindings: { VELORA_WEBHOOK_SECRET: SECRET }, ...more,
  };
}

/** The examples that keep their claims: what is theirs in a script, and where they run. */
const KEPT = {
  'a Durable Object': {
    script: `
      import { Claims as Kept, durableStore } from ${JSON.stringify(example('durable-object.mjs'))};
      export class Claims extends Kept {
        forget() { return this.ctx.storage.deleteAll(); }
        wake() { return this.alarm(); }
      }
      const storeOf = (env) => durableStore(env.CLAIMS);
      const forget = (env, key) => env.CLAIMS.get(env.CLAIMS.idFromName(key)).forget();
      const wake = (env, key) => env.CLAIMS.get(env.CLAIMS.idFromName(key)).wake();`,
    place: (folder) => ({ durableObjects: { CLAIMS: { className: 'Claims', useSQLite: true } }, durableObjectsPersist: folder }),
  },
  'a table of D1': {
    script: `
      import { d1Store } from ${JSON.stringify(example('d1.mjs'))};
      const storeOf = (env) => d1Store(env.CLAIMS, { lease: env.LEASE_MILLISECONDS });
      const forget = (env, key) => env.CLAIMS.prepare('DELETE FROM claims WHERE key = ?').bind(key).run();
      const wake = async () => {};`,
    place: (folder) => ({ d1Databases: { CLAIMS: 'claims' }, d1Persist: folder }),
    async prepare(flare) {
      const table = await readFile(example('d1.sql'), 'utf8');
      await (await flare.getD1Database('CLAIMS')).exec(table.replaceAll(/^--.*\n/gm, ''));
    },
  },
};

/** A worker whose handler is held up, or fails, as the event says. */
const HELD_UP = `
  import { Receiver, Verifier } from 'velora-wasm';
  const handled = [];
  const leases = new Map();
  export default {
    async fetch(request, env) {
      const url = new URL(request.url);
      const store = storeOf(env);
      if (url.pathname === '/handled') return Response.json(handled);
      if (url.pathname === '/store') {
        const [verb, key, epoch] = await request.json();
        try {
          if (verb === 'claim') {
            const { state, lease, retryAfter } = await store.claim(key);
            leases.set(key + lease?.epoch, lease);
            return Response.json({ state, epoch: lease?.epoch, retryAfter });
          }
          await ({ forget, wake }[verb]?.(env, key) ?? leases.get(key + epoch)[verb]());
          return Response.json({ state: 'ok' });
        } catch (error) {
          return Response.json({ state: error.code ?? String(error) });
        }
      }
      const onEvent = async (event) => {
        await scheduler.wait(50);
        if (event.details?.fail) throw new Error('no');
        handled.push(event.id);
      };
      return new Receiver({ verifier: new Verifier('health', env.VELORA_WEBHOOK_SECRET), store, onEvent }).handle(request);
    },
  };
`;

for (const [where, { script, place, prepare }] of Object.entries(KEPT)) test(`the worker with ${where}`, async (context) => {
  const bindings = { VELORA_WEBHOOK_SECRET: SECRET, LEASE_MILLISECONDS: 60_000 };
  const made = await options(script + HELD_UP, { ...place(temporary(context)), bindings });
  let flare = new Miniflare(made);
  finallyDo(context, () => flare.dispose());
  await prepare?.(flare);
  const send = async (id, details) => {
    const response = await flare.dispatchFetch('http://worker.example/', request(id, 'health', { id, type: 'phi.read', details }));
    return [response.status, await response.text()];
  };
  const ask = async (...what) =>
    (await flare.dispatchFetch('http://worker.example/store', { method: 'POST', body: JSON.stringify(what) })).json();
  const handled = async () => (await flare.dispatchFetch('http://worker.example/handled')).json();

  await context.test('of several at once one is handled', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => send('evt_1')));
    assert.deepEqual(await handled(), ['evt_1']);
    assert.equal(replies.filter(([, text]) => text === 'processed').length, 1);
    assert.ok(replies.every(([status, text]) => text === (status === 503 ? 'in_flight' : status === 200 && text)), String(replies));
    assert.deepEqual(await send('evt_1'), [200, 'duplicate']);
  });

  await context.test('a handler that throws has it sent again', async () => {
    assert.deepEqual(await send('evt_2', { fail: true }), [500, 'handler_failed']);
    assert.deepEqual(await send('evt_2', {}), [200, 'processed']);
  });

  await context.test('claims are committed, released, renewed and lost', async () => {
    const first = await ask('claim', 'a');
    assert.equal(first.state, 'fresh');
    const second = await ask('claim', 'a');
    assert.equal(second.state, 'in_flight');
    assert.ok(second.retryAfter > 0 && second.retryAfter <= 60);
    // An alarm may come late.
    assert.equal((await ask('wake', 'a')).state, 'ok');
    assert.equal((await ask('claim', 'a')).state, 'in_flight');
    assert.equal((await ask('renew', 'a', first.epoch)).state, 'ok');
    assert.equal((await ask('release', 'a', first.epoch)).state, 'ok');
    assert.equal((await ask('commit', 'a', first.epoch)).state, 'lease_lost');
    const third = await ask('claim', 'a');
    assert.equal(third.state, 'fresh');
    assert.ok(third.epoch > first.epoch);
    assert.equal((await ask('commit', 'a', first.epoch)).state, 'lease_lost');
    assert.equal((await ask('commit', 'a', third.epoch)).state, 'ok');
    assert.equal((await ask('claim', 'a')).state, 'done');
    assert.equal((await ask('renew', 'a', third.epoch)).state, 'lease_lost');
  });

  await context.test('no epoch is issued twice, though its key was forgotten', async () => {
    const first = await ask('claim', 'd');
    assert.equal((await ask('forget', 'd')).state, 'ok');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await ask('claim', 'd');
    assert.deepEqual([first.state, second.state], ['fresh', 'fresh']);
    assert.equal((await ask('commit', 'd', first.epoch)).state, 'lease_lost');
    assert.equal((await ask('commit', 'd', second.epoch)).state, 'ok');
  });

  await context.test('a worker that is started anew remembers, and a lease runs out', async () => {
    await ask('claim', 'b');
    await flare.dispose();
    flare = new Miniflare({ ...made, bindings: { ...made.bindings, LEASE_MILLISECONDS: 1 } });
    assert.deepEqual(await send('evt_1'), [200, 'duplicate']);
    assert.equal((await ask('claim', 'a')).state, 'done');
    assert.equal((await ask('claim', 'b')).state, 'in_flight');
    const first = await ask('claim', 'c');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await ask('claim', 'c');
    assert.deepEqual([first.state, second.state, second.epoch > first.epoch], ['fresh', 'fresh', true]);
    assert.equal((await ask('commit', 'c', first.epoch)).state, 'lease_lost');
    // It has run out too, but nobody has taken it over.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await ask('commit', 'c', second.epoch)).state, 'ok');
  });
});

/** Workers whose handler waits for a word of the test's; `export default` is what each serves. */
const GIVEN_UP = {
  'the worker with a Durable Object': `
    export { Claims } from ${JSON.stringify(example('durable-object.mjs'))};
    import { durableStore } from ${JSON.stringify(example('durable-object.mjs'))};
    let made;
    export default { fetch(request, env, context) {
      made ??= receiver(durableStore(env.CLAIMS));
      return answered(request) ?? made.handle(request, context);
    } };`,
  'a route of Hono': `
    import { Hono } from 'hono';
    import { MemoryStore } from 'velora-wasm';
    import { deliveries } from 'velora-wasm/hono';
    const app = new Hono();
    const made = receiver(new MemoryStore());
    app.get('*', (context) => answered(context.req.raw));
    app.post('/', deliveries(made));
    export default app;`,
};

for (const [name, script] of Object.entries(GIVEN_UP)) {
  test(`${name} ends what it has begun where the sender hangs up`, async (context) => {
    const port = await serveWorker(context, `
      import { Receiver, Verifier } from 'velora-wasm';
      let [begun, ended] = [0, 0];
      const onEvent = async () => {
        begun += 1;
        await scheduler.wait(500);
        ended += 1;
      };
      const receiver = (store) => new Receiver({ verifier: new Verifier('health', '${SECRET}'), store, onEvent });
      const answered = ({ method }) => (method === 'GET' ? Response.json([begun, ended]) : undefined);
      ${script}`, { durable: name.includes('Durable') ? 'Claims' : undefined });
    const url = `http://127.0.0.1:${port}/`;
    const counts = async () => (await fetch(url)).json();
    const { headers, body } = request('evt_1');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n`);
    socket.write(Object.entries(headers).map((pair) => `${pair.join(': ')}\r\n`).join(''));
    socket.write(Buffer.concat([Buffer.from('\r\n'), body]));
    while ((await counts())[0] === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.resetAndDestroy();
    for (;;) {
      const answer = await (await fetch(url, { method: 'POST', headers, body })).text();
      if (answer !== 'in_flight') {
        assert.equal(answer, 'duplicate');
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await counts(), [1, 1]);
  });
}

for (const [name, scheme, body, path] of [
  ['durable-object.mjs', 'health', { id: 'evt_1', type: 'phi.read' }, ''],
  ['d1.mjs', 'health', { id: 'evt_1', type: 'phi.read' }, ''],
  ['hono.mjs', 'curae', { eventId: 'evt_1', eventType: 'import.completed' }, 'velora-webhook'],
  ['vercel.mjs', 'tv', { id: 'evt_1', type: 'stream.online' }, ''],
]) {
  test(`${name} on workerd`, async (context) => {
    const file = JSON.stringify(example(name));
    const script = name === 'vercel.mjs'
      // Its host has the environment there before the script.
      ? `globalThis.process = { env: { VELORA_WEBHOOK_SECRET: '${SECRET}' } };\nlet handler;\nexport default { async fetch(request) { handler ??= (await import(${file})).default; return handler(request); } };`
      : `export * from ${file};\nexport { default } from ${file};`;
    const { place, prepare } = { 'durable-object.mjs': KEPT['a Durable Object'], 'd1.mjs': KEPT['a table of D1'] }[name] ?? {};
    const flare = new Miniflare({ ...(await options(script, place?.(temporary(context)))), log: undefined });
    finallyDo(context, () => flare.dispose());
    await prepare?.(flare);
    const send = async (sent) => {
      const response = await flare.dispatchFetch(`http://worker.example/${path}`, sent);
      return [response.status, await response.text()];
    };
    const genuine = request('evt_1', scheme, body);
    assert.deepEqual(await send(genuine), [200, 'processed']);
    assert.deepEqual(await send(genuine), [200, 'duplicate']);
    assert.equal((await send({ ...genuine, body: `${JSON.stringify(body)} ` }))[1], 'signature_mismatch');
  });
}

test('d1.mjs forgets keys whose time is over', async (context) => {
  const { place, prepare } = KEPT['a table of D1'];
  const flare = new Miniflare(await options(`export { default } from ${JSON.stringify(example('d1.mjs'))};`, place(temporary(context))));
  finallyDo(context, () => flare.dispose());
  await prepare(flare);
  const claims = await flare.getD1Database('CLAIMS');
  const [hour, retention] = [3600_000, 72 * 3600_000];
  for (const [key, state, until] of [
    ['done', 'done', -hour], ['done yet', 'done', hour],
    ['given up', 'claimed', -retention - hour], ['late', 'claimed', hour - retention],
    ['released', 'free', -retention - hour],
  ]) {
    await claims.prepare('INSERT INTO claims VALUES (?, 1, ?, ?)').bind(key, state, Date.now() + until).run();
  }
  await (await flare.getWorker()).scheduled({ cron: '0 * * * *' });
  const { results } = await claims.prepare('SELECT key FROM claims ORDER BY key').all();
  assert.deepEqual(results.map(({ key }) => key), ['done yet', 'late']);
});

const DENO = ['--node-modules-dir=manual', '--allow-net', '--allow-env'];
for (const [runtime, name, ...flags] of [
  ['deno', 'deno.mjs', 'run', ...DENO], ['bun', 'bun.mjs', 'run'],
  ['deno', 'hono.mjs', 'serve', ...DENO, '--host=127.0.0.1', '--port=0'], ['bun', 'hono.mjs', 'run'],
]) {
  test(`${name} on ${runtime}`, async (context) => {
    const program = spawn(programOf(runtime), [...flags, example(name)], {
      env: { ...process.env, VELORA_WEBHOOK_SECRET: SECRET, PORT: '0', DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(program, 'exit');
    finallyDo(context, async () => {
      program.kill();
      await ended;
    });
    // The one says it on one stream, the other on the other.
    const said = [program.stdout, program.stderr].map((input) => new Promise((resolve) => {
      createInterface({ input }).on('line', (line) => /http:\S+/.test(line) && resolve(line.match(/http:\S+/)[0]));
    }));
    const url = await Promise.race([...said, ended.then(() => assert.fail('it ended'))]);
    const [path, ...genuineOf] = name === 'hono.mjs' ? ['velora-webhook', 'curae', { eventId: 'evt_1', eventType: 'import.completed' }] : [''];
    const genuine = request('evt_1', ...genuineOf);
    const send = async (sent) => {
      const response = await fetch(new URL(path, url), sent);
      return [response.status, await response.text()];
    };
    assert.deepEqual(await send(genuine), [200, 'processed']);
    assert.deepEqual(await send(genuine), [200, 'duplicate']);
    assert.deepEqual(await send({ ...genuine, body: '{}' }), [name === 'hono.mjs' ? 400 : 401, 'signature_mismatch']);
  });
}

test('the page says whether a delivery is genuine', async (context) => {
  const page = await browser(context);
  const { script } = await bundle(`import ${JSON.stringify(example('page.mjs'))};`, ['browser']);
  const asked = [];
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    asked.push(pathname);
    switch (pathname) {
      case '/':
        return readFile(example('page.html'), 'utf8').then((body) => route.fulfill({ contentType: 'text/html', body }));
      case '/page.mjs':
        return route.fulfill({ contentType: 'text/javascript', body: script });
      default:
        return route.fulfill({ status: 404, body: '' });
    }
  });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('http://localhost/');
  const body = '{"id":"evt_1","type":"phi.read"}';
  const { headers } = new Signer('health', SECRET).sign(body);
  await page.getByLabel('Signing secret').fill(SECRET);
  await page.getByLabel('Headers').fill(Object.entries(headers).map((pair) => pair.join(': ')).join('\n'));
  await page.getByLabel('Raw body').fill(body);
  await page.getByRole('button', { name: 'Check' }).click();
  await page.locator('output[data-verdict=genuine]').waitFor();
  assert.match(await page.locator('output').textContent(), /Key: health:evt_1:phi\.read/);
  const folder = process.env.VELORA_SCREENSHOTS;
  if (folder !== undefined) {
    await writeFile(join(folder, 'genuine.png'), await page.screenshot({ fullPage: true }));
  }
  const text = new Signer('health', SECRET).sign('no event');
  await page.getByLabel('Headers').fill(Object.entries(text.headers).map((pair) => pair.join(': ')).join('\n'));
  await page.getByLabel('Raw body').fill('no event');
  await page.locator('output').evaluate((output) => { output.dataset.verdict = ''; });
  await page.getByRole('button', { name: 'Check' }).click();
  await page.locator('output[data-verdict=genuine]').waitFor();
  assert.match(await page.locator('output').textContent(), /malformed_event/);
  await page.getByLabel('Raw body').fill(`${body} `);
  await page.getByRole('button', { name: 'Check' }).click();
  await page.locator('output[data-verdict=refused]').waitFor();
  assert.match(await page.locator('output').textContent(), /signature_mismatch/);
  const pasted = async (raw) => {
    await page.evaluate((raw) => navigator.clipboard.writeText(raw), raw);
    await page.getByLabel('Raw body').fill('');
    await page.getByLabel('Raw body').press('Control+V');
  };
  const checked = async (verdict) => {
    await page.locator('output').evaluate((output) => { delete output.dataset.verdict; });
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator(`output[data-verdict="${verdict}"]`).waitFor();
  };
  for (const lines of ['{"id":"evt_1",\r\n"type":"phi.read"}', '{"id":"evt_1",\r"type":"phi.read"}', '{"id":"evt_1",\n"type":"phi.read"}\n']) {
    const { headers } = new Signer('health', SECRET).sign(lines);
    await page.getByLabel('Headers').fill(Object.entries(headers).map((pair) => pair.join(': ')).join('\n'));
    await pasted(lines);
    await checked('genuine');
    // What was signed had other line ends than what has come.
    await pasted(lines.replace(/\r\n?|\n/, (end) => (end === '\n' ? '\r\n' : '\n')));
    await checked('refused');
  }
  await pasted('{"id":"evt_1",\r\n"type":"phi.read"}');
  await page.getByLabel('Raw body').press('End');
  await page.getByLabel('Raw body').press('Space');
  await checked('');
  assert.match(await page.locator('output').textContent(), /Paste the body once more/);
  await page.getByLabel('Raw body').fill(`${body} `);
  await checked('refused');
  if (folder !== undefined) {
    await writeFile(join(folder, 'refused.png'), await page.screenshot({ fullPage: true }));
  }
  assert.deepEqual(asked.filter((path) => !['/', '/page.mjs', '/favicon.ico'].includes(path)), []);
});
