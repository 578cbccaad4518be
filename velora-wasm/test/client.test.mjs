// The client over the hosts' own `fetch`: where it can be created, and which ends of a body it trusts.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGzip, gzipSync } from 'node:zlib';
import { health } from 'velora-wasm/client';
import { Miniflare } from 'miniflare';
import { HEALTH_KEY, serve, temporary, WEEK } from '../../velora-node/test/support.mjs';
import { bundle, programOf } from './runtimes/bundle.mjs';

/** The worker that this is the script of. */
async function worker(context, contents, bindings = {}) {
  const { script, modules } = await bundle(contents, ['workerd']);
  const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
  const flare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01', cf: false, bindings,
  });
  context.after(() => flare.dispose());
  return flare;
}

test('a worker may make its client, and say what it wants of it, before the first request', async (context) => {
  const ids = [];
  const url = await serve(context, (request, response) => {
    ids.push(request.headers['x-request-id']);
    response.end(request.method === 'GET' ? '{"events":[],"has_more":false}' : '');
  });
  for (let round = 0; round < 2; round += 1) {
    const flare = await worker(context, `
      import { health } from 'velora-wasm/client';
      const client = new health.Client({ apiKey: '${HEALTH_KEY}', baseUrl: '${url}' });
      const rows = client.export(${JSON.stringify(WEEK)});
      export default { async fetch() {
        await client.probe();
        return Response.json(await rows.toArray());
      } };`);
    assert.deepEqual(await (await flare.dispatchFetch('http://a')).json(), []);
  }
  // Each instance has random numbers of its own.
  assert.equal(ids.length, 4);
  assert.equal(new Set(ids).size, 4);
});

const ROWS = Array.from({ length: 100 }, (_, at) => `{"event_id":"${at}","timestamp":"2026-05-02T00:00:00+00:00","action":"phi.read"}\n`);
const ALL = ROWS.join('');
const HALF = ROWS.slice(0, 50).join('');
const ZIPPED = gzipSync(ALL);
const HALF_ZIPPED = await new Promise((resolve) => {
  const zip = createGzip();
  // Everything before this point can be read, and the end is missing.
  zip.on('data', (bytes) => { zip.parts = [...(zip.parts ?? []), bytes]; }).write(HALF);
  zip.flush(() => resolve(Buffer.concat(zip.parts)));
});

const CHUNKED = 'Transfer-Encoding: chunked';
const CLOSE = 'Connection: close';
const GZIP = 'Content-Encoding: gzip';
const length = (body) => `Content-Length: ${body.length}`;
const chunk = (body) => Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), Buffer.from(body), Buffer.from('\r\n')]);
const chunks = (body) => Buffer.concat([chunk(body), Buffer.from('0\r\n\r\n')]);

/** Answers to an export that end with their connection: how many rows they are, over loopback and over `https`. */
const ANSWERS = {
  'a length': [[length(ALL)], ALL, 100, 100],
  'a length, and the connection closes': [[length(ALL), CLOSE], ALL, 100, 100],
  'a length, cut': [[length(ALL)], HALF, 'connection', 'connection'],
  'a length, cut, and the connection closes': [[length(ALL), CLOSE], HALF, 'connection', 'connection'],
  // Some hosts take what is left of it for a whole one.
  'gzip with a length': [[GZIP, length(ZIPPED)], ZIPPED, 'connection', 'connection'],
  'gzip without its end, with a length': [[GZIP, length(HALF_ZIPPED)], HALF_ZIPPED, 'connection', 'connection'],
  'gzip with a length, cut': [[GZIP, length(ZIPPED)], HALF_ZIPPED.subarray(0, ZIPPED.length - 1), 'connection', 'connection'],
  'gzip without a length, cut': [[GZIP, CLOSE], HALF_ZIPPED, 'connection', 'connection'],
  'gzip in chunks': [[GZIP, CHUNKED], chunks(ZIPPED), 'connection', 'connection'],
  'gzip without its end, in chunks': [[GZIP, CHUNKED], chunks(HALF_ZIPPED), 'connection', 'connection'],
  'gzip in chunks, cut': [[GZIP, CHUNKED], chunk(HALF_ZIPPED), 'connection', 'connection'],
  'gzip in chunks, cut, and the connection closes': [[GZIP, CHUNKED, CLOSE], chunk(HALF_ZIPPED), 'connection', 'connection'],
  'an encoding that is none': [['Content-Encoding: identity', length(ALL)], ALL, 100, 100],
  'chunks': [[CHUNKED], chunks(ALL), 100, 100],
  'chunks, cut': [[CHUNKED], chunk(HALF), 'connection', 'connection'],
  'chunks, cut, and the connection closes': [[CHUNKED, CLOSE], chunk(HALF), 'connection', 'connection'],
  'chunks, cut, and the connection closes in other words': [[CHUNKED, 'Connection: Upgrade, Close'], chunk(HALF), 'connection', 'connection'],
  'chunks, cut, and the connection of a proxy closes': [[CHUNKED, 'Proxy-Connection: close'], chunk(HALF), 'connection', 'connection'],
  'a coding that is none': [['Transfer-Encoding: identity'], HALF, 'connection', 'connection'],
  'a coding that is not chunks': [['Transfer-Encoding: chunked, identity'], HALF, 'connection', 'connection'],
  'no length, and the connection closes': [[CLOSE], HALF, 'connection', 'connection'],
  // As the body of HTTP/2 looks, whose end is always marked.
  'no length': [[], ALL, 'connection', 100],
};

/** A server of each of these answers, as hosts may use a connection again; gives their URLs. */
function answering(context) {
  return Promise.all(Object.values(ANSWERS).map(async ([headers, body]) => {
    const head = ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');
    const server = createServer((socket) => {
      let asked = '';
      socket.on('error', () => {}).on('data', (bytes) => {
        asked += bytes.toString('latin1');
        if (asked.endsWith('}')) {
          socket.end(Buffer.concat([Buffer.from(head), Buffer.from(body)]));
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => server.close());
    return `http://127.0.0.1:${server.address().port}`;
  }));
}

/** What the client makes of an answer of each. Stands alone, for other hosts. */
async function outcomes(health, urls) {
  const outcomes = [];
  for (const baseUrl of urls) {
    const client = new health.Client({ apiKey: 'vlk_live_1', baseUrl, attempts: 1 });
    const rows = client.export({ since: '2026-05-01T00:00:00Z', until: '2026-05-08T00:00:00Z' }).toArray();
    outcomes.push(await rows.then(({ length }) => length, ({ code }) => code));
  }
  return outcomes;
}

const names = Object.keys(ANSWERS);
const named = (outcomes) => Object.fromEntries(outcomes.map((outcome, at) => [names[at], outcome]));
const OVER_LOOPBACK = named(Object.values(ANSWERS).map(([, , outcome]) => outcome));
const OVER_HTTPS = named(Object.values(ANSWERS).map(([, , , outcome]) => outcome));

test('an answer that may have been cut is no export', async (context) => {
  assert.deepEqual(named(await outcomes(health, await answering(context))), OVER_LOOPBACK);
});

test('an answer over https that may have been cut is no export, also where fetch is wrapped', async (context) => {
  const urls = await answering(context);
  const own = globalThis.fetch;
  context.after(() => { globalThis.fetch = own; });
  const plain = (asked, request) => own(asked.replace(/^https:..a.example.(\d+)/i, (_, at) => urls[at]), request);
  for (const wrapped of [plain, async (...given) => {
    const response = await plain(...given);
    return new Response(response.body, response);
  }]) {
    globalThis.fetch = wrapped;
    for (const base of ['https://a.example', 'HTTPS://a.example']) {
      assert.deepEqual(named(await outcomes(health, urls.map((_, at) => `${base}/${at}`))), OVER_HTTPS);
    }
  }
});

const SCRIPT = `import { health } from 'velora-wasm/client';\n${outcomes}\n`;

test('workerd: an answer that may have been cut is no export', async (context) => {
  const asked = `outcomes(health, ${JSON.stringify(await answering(context))})`;
  const flare = await worker(context, `${SCRIPT}export default { fetch: async () => Response.json(await ${asked}) };`);
  assert.deepEqual(named(await (await flare.dispatchFetch('http://a')).json()), OVER_LOOPBACK);
});

test('workerd: a response ends with a line of its own only if the export in it is whole', async (context) => {
  const url = await serve(context, (request, response) => {
    response.statusCode = request.headers.authorization?.endsWith(HEALTH_KEY) ? 200 : 401;
    response.end(response.statusCode === 200 ? ALL : '');
  });
  const flare = await worker(context, `
    import { health } from 'velora-wasm/client';
    export default { async fetch(request) {
      const client = new health.Client({ apiKey: request.headers.get('key'), baseUrl: '${url}' });
      const flush = (out) => out.enqueue(new TextEncoder().encode('{"whole":true}\\n'));
      const ndjson = client.export(${JSON.stringify(WEEK)}).toReadableStream();
      return new Response(ndjson.pipeThrough(new TransformStream({ flush })));
    } };`);
  const ask = async (key) => (await flare.dispatchFetch('http://a', { headers: { key } })).text().catch(() => '');
  const lines = (await ask(HEALTH_KEY)).split('\n');
  assert.deepEqual([lines.length, lines.at(-2)], [ROWS.length + 2, '{"whole":true}']);
  assert.equal(await ask('vlk_live_1'), '');
});

for (const runtime of ['deno', 'bun']) {
  test(`${runtime}: an answer that may have been cut is no export`, async (context) => {
    const asked = `outcomes(health, ${JSON.stringify(await answering(context))})`;
    const file = join(temporary(context), 'outcomes.mjs');
    await writeFile(file, (await bundle(`${SCRIPT}console.log(JSON.stringify(await ${asked}));`, [runtime])).script);
    const args = runtime === 'deno' ? ['run', '--allow-net', file] : ['run', file];
    const { stdout } = await promisify(execFile)(programOf(runtime), args, { env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' } });
    const found = JSON.parse(stdout);
    if (runtime === 'deno') {
      // It hands on as it came what was not asked for.
      found.forEach((outcome, at) => { found[at] = outcome === 'malformed_response' && names[at].startsWith('gzip') ? 'connection' : outcome; });
    }
    assert.deepEqual(named(found), OVER_LOOPBACK);
  });
}

test('what is asked for is asked for as it is', async (context) => {
  const encodings = [];
  const baseUrl = await serve(context, (request, response) => {
    encodings.push(request.headers['accept-encoding']);
    response.end(ALL);
  });
  assert.equal((await new health.Client({ apiKey: HEALTH_KEY, baseUrl }).export(WEEK).toArray()).length, 100);
  assert.deepEqual([...new Set(encodings)], ['identity']);
});

test('chunks of any bytes are rows, and what is no bytes is no end', async (context) => {
  const own = globalThis.fetch;
  context.after(() => { globalThis.fetch = own; });
  const bytes = new TextEncoder().encode(ALL);
  const export_ = (chunks) => {
    globalThis.fetch = async () => ({
      status: 200, headers: new Headers({ 'content-length': String(bytes.length) }),
      body: new ReadableStream({ start(controller) { chunks.forEach((chunk) => controller.enqueue(chunk)); controller.close(); } }),
    });
    const client = new health.Client({ apiKey: HEALTH_KEY, attempts: 1 });
    return client.export(WEEK).toArray().then(({ length }) => length, ({ code }) => code);
  };
  for (const whole of [[bytes.buffer], [new DataView(bytes.buffer)], [new Uint16Array(bytes.buffer.slice(0, 2)), bytes.subarray(2)]]) {
    assert.equal(await export_(whole), 100);
  }
  for (const odd of [undefined, null, 'text', 7, {}]) {
    assert.equal(await export_([bytes.subarray(0, bytes.length / 2), odd, bytes.subarray(bytes.length / 2)]), 'connection', String(odd));
  }
});

test('work whose host never answers is given up, and its memory with it', async (context) => {
  const own = { fetch: globalThis.fetch, now: performance.now, timer: globalThis.setTimeout };
  context.after(() => {
    [globalThis.fetch, performance.now, globalThis.setTimeout] = [own.fetch, own.now, own.timer];
  });
  // As what a request of a worker has under way, once it is over.
  let lost = true;
  globalThis.setTimeout = (call, ...given) => (lost ? own.timer(() => {}, ...given).unref() : own.timer(call, ...given));
  globalThis.fetch = () => (lost ? new Promise(() => {}) : Promise.resolve(new Response(ALL, { headers: { 'content-length': String(ALL.length) } })));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: 'http://127.0.0.1:1', callTimeout: 100 });
  const codes = [];
  for (const call of [client.probe(), client.export(WEEK).toArray()]) {
    call.catch(({ code }) => codes.push(code));
  }
  await new Promise(setImmediate);
  lost = false;
  assert.equal((await client.export(WEEK).toArray()).length, 100);
  assert.deepEqual(codes, []);
  performance.now = () => own.now.call(performance) + 200_000;
  assert.equal((await client.export(WEEK).toArray()).length, 100);
  assert.deepEqual(codes.sort(), ['connection', 'internal']);
});

test('workerd: a module that fails in one request ends the calls of others with an error', async (context) => {
  const baseUrl = await serve(context, (_, response) => {
    response.setHeader('content-length', ALL.length);
    response.write(HALF);
  });
  const flare = await worker(context, `
    import { health, Verifier } from 'velora-wasm/client';
    const client = new health.Client({ apiKey: '${HEALTH_KEY}', baseUrl: '${baseUrl}', attempts: 1 });
    const verifier = new Verifier('health', 'secret');
    // Takes hardly any memory; three of it need more room than the module can address.
    const long = 'x'.repeat(2 ** 28);
    let reading = 0;
    const said = (work) => work().then(() => 'nothing', ({ name, code }) => name + ' ' + code);
    export default { async fetch(request) {
      switch (new URL(request.url).pathname) {
        case '/read':
          reading += 1;
          return new Response(await said(() => client.export(${JSON.stringify(WEEK)}).toArray()));
        case '/reading':
          return new Response(String(reading));
        default:
          return new Response(await said(async () => verifier.verify(long, { 'x-velora-signature': [long, long] })));
      }
    } };`);
  const ask = async (path) => (await flare.dispatchFetch(`http://a${path}`)).text();
  const reads = [ask('/read'), ask('/read')];
  while (await ask('/reading') !== '2') {
    await sleep(5);
  }
  assert.deepEqual([await ask('/fail'), ...await Promise.all(reads)], Array(3).fill('VeloraError internal'));
});

test('an export that nobody reads, or reads on, does not hold who was to be told of it', async (context) => {
  const baseUrl = await serve(context, (_, response) => response.end(ALL));
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl });
  const opened = async (read) => {
    const onProgress = () => {};
    await read(client.export(WEEK, { onProgress })[Symbol.asyncIterator]());
    return new WeakRef(onProgress);
  };
  const held = [await opened(() => {}), await opened((rows) => rows.next())];
  for (let round = 0; round < 1000 && held.some((one) => one.deref() !== undefined); round += 1) {
    await sleep(5);
    globalThis.gc();
  }
  assert.deepEqual(held.map((one) => one.deref()), [undefined, undefined]);
});
