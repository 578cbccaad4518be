// The adapters in their frameworks, over real sockets.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { serve as serveHono } from '@hono/node-server';
import express from 'express';
import express4 from 'express-4';
import fastify from 'fastify';
import fastify4 from 'fastify-4';
import { Hono } from 'hono';
import { MemoryStore, Receiver, Signer, Verifier } from 'velora';
import { deliveries as forExpress } from 'velora/express';
import { deliveries as forFastify } from 'velora/fastify';
import { deliveries as forHono } from 'velora/hono';
import { deliveries as forNext } from 'velora/next';
import { codeOf, held, SECRET, serve, simulate } from './support.mjs';

const onExpress = (express) => (context, receiver) => {
  const app = express();
  app.post('/hook', forExpress(receiver));
  app.use(express.json());
  app.post('/other', (request, response) => response.json(request.body));
  return serve(context, app);
};

const onFastify = (fastify) => async (context, receiver) => {
  const app = fastify();
  await app.register(forFastify, { url: '/hook', receiver });
  app.post('/other', async (request) => request.body);
  context.after(() => app.close());
  return app.listen({ port: 0, host: '127.0.0.1' });
};

const FRAMEWORKS = {
  'express-4': onExpress(express4),
  express: onExpress(express),
  'fastify-4': onFastify(fastify4),
  fastify: onFastify(fastify),
  hono: async (context, receiver) => {
    const app = new Hono();
    app.post('/hook', forHono(receiver));
    app.post('/other', async (c) => c.json(await c.req.json()));
    return new Promise((resolve) => {
      const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(`http://127.0.0.1:${port}`));
      context.after(() => server.close());
    });
  },
};

test('what cannot receive is refused where it is mounted', async () => {
  const [verifier, store] = [new Verifier('health', SECRET), new MemoryStore()];
  for (const receiver of [undefined, null, verifier, { handle() {} }, new Receiver({ verifier, store })]) {
    for (const mount of [forExpress, forHono, forNext, (receiver) => fastify().register(forFastify, { url: '/hook', receiver })]) {
      assert.equal(await codeOf(() => mount(receiver)), 'invalid_option');
    }
  }
});

test('fastify: what is no use of the plugin is refused, and says how it is used', async () => {
  const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store: new MemoryStore(), onEvent: () => {} });
  assert.throws(() => fastify().post('/hook', forFastify(receiver)), { code: 'invalid_option', message: /app\.register/ });
  for (const options of [undefined, {}, { receiver }, { receiver, url: 7 }, { url: '/hook' }]) {
    assert.equal(await codeOf(() => fastify().register(forFastify, options)), 'invalid_option', Object.keys(options ?? {}).join());
  }
});

test('a request that an adapter takes is told so by handle', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const app = express();
  const told = [];
  const handle = (request, response) => receiver.handle(request).catch((error) => {
    told.push([error.code, error.message]);
    response.end();
  });
  app.post('/unread', handle).post('/parsed', express.json(), handle);
  const url = await serve(context, app);
  for (const path of ['/unread', '/parsed']) {
    await fetch(url + path, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  }
  assert.equal(told.length, 2);
  for (const [code, message] of told) {
    assert.equal(code, 'invalid_option');
    assert.match(message, /velora\/express and velora\/fastify/);
  }
});

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  test(`${name}: answers what the receiver says`, async (context) => {
    const handled = [];
    let fail = false;
    const receiver = new Receiver({
      verifier: new Verifier('health', SECRET),
      store: new MemoryStore(),
      bodyLimit: 100_000,
      onEvent: (event) => {
        if (fail) throw new Error('no');
        handled.push(event.id);
      },
    });
    const url = await start(context, receiver);
    const post = async (path, body, headers) => {
      const response = await fetch(url + path, { method: 'POST', body, headers });
      return [response.status, await response.text(), response.headers.get('retry-after')];
    };
    // Blanks that a parser would not give back.
    const { body, headers } = new Signer('health', SECRET).sign('{ "id" : "evt_1",\n "type":"phi.read" }');
    assert.deepEqual(await post('/hook', body, headers), [200, 'processed', null]);
    assert.deepEqual(await post('/hook', body, headers), [200, 'duplicate', null]);
    assert.deepEqual(await post('/hook', 'x', headers), [401, 'signature_mismatch', null]);
    assert.deepEqual(await post('/hook', body, {}), [401, 'missing_header', null]);
    assert.deepEqual((await post('/hook', 'x'.repeat(100_001), headers))[0], 413);
    fail = true;
    const second = new Signer('health', SECRET).sign('{"id":"evt_2","type":"phi.read"}');
    assert.deepEqual(await post('/hook', second.body, second.headers), [500, 'handler_failed', null]);
    assert.deepEqual(handled, ['evt_1']);
    assert.equal((await post('/other', '{"a":1}', { 'content-type': 'application/json' }))[1], '{"a":1}');
  });

  test(`${name}: a body over the limit is refused before it ends`, async (context) => {
    const verifier = new Verifier('health', SECRET);
    const receiver = new Receiver({ verifier, store: new MemoryStore(), bodyLimit: 10, onEvent: () => assert.fail('it did') });
    const { hostname, port } = new URL(await start(context, receiver));
    const socket = connect(Number(port), hostname);
    context.after(() => socket.destroy());
    socket.write('POST /hook HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n');
    assert.match(String((await once(socket, 'data', { signal: AbortSignal.timeout(30_000) }))[0]), /^HTTP\/1\.1 413 /);
  });

  test(`${name}: an unreachable store is 503 and Retry-After`, async (context) => {
    const store = new MemoryStore({ capacity: 1 });
    await store.claim('busy');
    const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store, onEvent: () => {} });
    const url = await start(context, receiver);
    const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"stream.online"}');
    const response = await fetch(`${url}/hook`, { method: 'POST', body, headers });
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '5']);
  });

  test(`${name}: takes what the simulator delivers`, async (context) => {
    const simulator = await simulate(context, '--events', '1', '--time-scale', '60000');
    const handled = [];
    const receiver = new Receiver({
      verifier: new Verifier('curae', SECRET),
      store: new MemoryStore(),
      onEvent: ({ eventId }) => { handled.push(eventId); },
    });
    const url = await start(context, receiver);
    await simulator.ask('POST', 'endpoints', { system: 'curae', url: `${url}/hook`, events: [], secret: SECRET });
    await simulator.ask('POST', 'emit', { system: 'curae', type: 'import.completed', id: 'evt_1', data: {}, copies: 3 });
    await simulator.ask('GET', 'settled');
    assert.deepEqual(handled, ['evt_1']);
    const deliveries = JSON.parse(await simulator.ask('GET', 'deliveries'));
    assert.ok((Array.isArray(deliveries) ? deliveries : deliveries.deliveries).length >= 3);
  });
}

test('the package may be installed beside the oldest that it is tested with', () => {
  const require = createRequire(import.meta.url);
  const { peerDependencies } = require('velora/package.json');
  for (const name of ['express', 'fastify']) {
    const { version } = require(`${name}-4/package.json`);
    assert.equal(peerDependencies[name], `>=${parseInt(version)}`);
  }
});

test('what was parsed before is refused with what to call in each framework', () => {
  const verifier = new Verifier('health', SECRET);
  assert.throws(() => verifier.verify({}, {}), (error) => {
    assert.equal(error.code, 'body_already_parsed');
    assert.match(error.message, /express\.raw.*addContentTypeParser.*request\.arrayBuffer/);
    return true;
  });
});

test('express: a body that was parsed before is refused, one of express.raw() is taken', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const codes = [];
  const app = express();
  app.post('/raw', express.raw({ type: '*/*' }), forExpress(receiver));
  app.post('/parsed', express.json(), forExpress(receiver));
  app.use((error, _request, response, _next) => {
    codes.push(error.code);
    response.sendStatus(500);
  });
  const url = await serve(context, app);
  const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"stream.online"}');
  assert.equal((await fetch(`${url}/raw`, { method: 'POST', body, headers })).status, 200);
  assert.equal((await fetch(`${url}/parsed`, { method: 'POST', body, headers })).status, 500);
  assert.deepEqual(codes, ['body_already_parsed']);
});

test('what was read before its route is refused with what to do in that framework', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const errors = [];
  const failed = (error) => errors.push(error);
  const onExpress = express();
  onExpress.post('/hook', express.json(), forExpress(receiver));
  onExpress.use((error, _request, response, _next) => {
    failed(error);
    response.end();
  });
  const onFastify = fastify();
  onFastify.addHook('onRequest', async ({ raw }) => { await raw.toArray(); });
  onFastify.setErrorHandler(async (error) => failed(error));
  await onFastify.register(forFastify, { url: '/hook', receiver });
  context.after(() => onFastify.close());
  const urls = [await serve(context, onExpress), await onFastify.listen({ port: 0, host: '127.0.0.1' })];
  for (const url of urls) {
    await fetch(`${url}/hook`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  }
  for (const read of [(c) => c.req.json(), (c) => { c.req.raw.body.getReader(); }]) {
    const app = new Hono();
    app.use(async (c, next) => {
      await read(c);
      await next();
    });
    app.post('/hook', forHono(receiver));
    app.onError((error, c) => c.text(String(failed(error))));
    await app.request('/hook', { method: 'POST', body: '{}' });
  }
  const remedies = [/before express\.json\(\).*express\.raw/, /where no hook/, /before the middleware/, /before the middleware/];
  assert.deepEqual(errors.map(({ code }) => code), remedies.map(() => 'body_already_parsed'));
  errors.forEach(({ message }, at) => assert.match(message, remedies[at]));
});

test('express: a header that was sent twice, and a body that breaks off', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('health', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const url = new URL(await FRAMEWORKS.express(context, receiver));
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"1","type":"x"}');
  const signature = `X-Velora-Signature: ${headers['X-Velora-Signature']}\r\n`;
  const ask = async (head, text, breakOff = false) => {
    const socket = connect(url.port, url.hostname);
    socket.write(`POST /hook HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n${text}`);
    if (breakOff) {
      socket.end();
    }
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  };
  const twice = await ask(`${signature}${signature}Content-Length: ${body.length}\r\n`, body);
  assert.match(twice, /^HTTP\/1\.1 401/);
  assert.match(twice, /duplicate_header$/);
  await ask(`${signature}Content-Length: 1000\r\n`, body, true);
  const after = await fetch(`${url}hook`, { method: 'POST', body, headers });
  assert.equal(after.status, 200);
});

test('express: what another middleware has answered is left alone', async (context) => {
  let finish;
  const receiver = new Receiver({
    verifier: new Verifier('tv', SECRET), store: new MemoryStore(),
    onEvent: () => new Promise((resolve) => { finish = resolve; }),
  });
  const errors = [];
  const app = express();
  app.post('/hook', (_request, response, next) => {
    next();
    const wait = setInterval(() => {
      if (finish !== undefined) {
        clearInterval(wait);
        response.status(503).send('too slow');
      }
    }, 5);
  }, forExpress(receiver));
  app.use((error, _request, _response, _next) => { errors.push(error); });
  const url = await serve(context, app);
  const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"stream.online"}');
  assert.equal((await fetch(`${url}/hook`, { method: 'POST', body, headers })).status, 503);
  finish();
  // The event was handled, though nobody heard of it.
  for (;;) {
    const reply = await receiver.receive(body, headers);
    if (reply.outcome !== 'in_flight') {
      assert.equal(reply.outcome, 'duplicate');
      break;
    }
  }
  await new Promise(setImmediate);
  assert.deepEqual(errors, []);
});

test('express: a body that was read as a text is refused, bytes are taken', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const later = (_request, _response, next) => setTimeout(next, 20);
  const plain = (request, _response, next) => {
    request.body = Uint8Array.from(request.body);
    next();
  };
  const app = express();
  app.post('/text', express.text({ type: '*/*' }), later, forExpress(receiver));
  app.post('/bytes', express.raw({ type: '*/*' }), plain, later, forExpress(receiver));
  app.post('/gone', (request, _response, next) => request.resume().on('end', () => setTimeout(next, 20)), forExpress(receiver));
  app.use((error, _request, response, _next) => response.status(500).send(error.code));
  const url = await serve(context, app);
  const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"stream.online"}');
  const post = async (path) => (await fetch(url + path, { method: 'POST', body, headers })).text();
  assert.equal(await post('/text'), 'body_already_parsed');
  assert.equal(await post('/gone'), 'body_already_parsed');
  assert.equal(await post('/bytes'), 'processed');
});

test('express: a body that another middleware has decoded is refused', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const decode = (request) => request.setEncoding('utf8').on('data', () => {});
  const app = express();
  app.post('/before', (request, _response, next) => {
    decode(request);
    next();
  }, forExpress(receiver));
  app.post('/meanwhile', (request, _response, next) => {
    next();
    decode(request);
  }, forExpress(receiver));
  app.use((error, _request, response, _next) => response.status(500).send(error.code));
  const url = await serve(context, app);
  for (const [path, body] of [['/before', 'x'], ['/before', ''], ['/meanwhile', 'x']]) {
    const response = await fetch(url + path, { method: 'POST', body });
    assert.deepEqual([path, await response.text()], [path, 'body_already_parsed']);
  }
});

test('fastify: a body that a hook has decoded is refused', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const app = fastify();
  app.addHook('onRequest', async (request) => { request.raw.setEncoding('utf8'); });
  await app.register(forFastify, { url: '/hook', receiver });
  context.after(() => app.close());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const response = await fetch(`${url}/hook`, { method: 'POST', body: 'x' });
  assert.equal((await response.json()).code, 'body_already_parsed');
});

test('express: a body in small chunks takes no more memory than it has bytes', async (context) => {
  const CHUNKS = 100_000;
  const before = await held();
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const app = express();
  const read = new Promise((resolve) => {
    app.post('/hook', (request, _response, next) => {
      let left = CHUNKS;
      next();
      request.on('data', () => {
        left -= 1;
        if (left === 0) resolve();
      });
    }, forExpress(receiver));
  });
  const { port } = new URL(await serve(context, app));
  const socket = connect(port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.write(`POST /hook HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(CHUNKS)}`);
  await read;
  const kept = await held() - before;
  assert.ok(kept < 4 << 20, `${kept} bytes`);
});

test('fastify: a media type that is none is no refusal', async (context) => {
  const receiver = new Receiver({ verifier: new Verifier('tv', SECRET), store: new MemoryStore(), onEvent: () => {} });
  const url = await FRAMEWORKS.fastify(context, receiver);
  const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"stream.online"}');
  const response = await fetch(`${url}/hook`, { method: 'POST', body, headers: { ...headers, 'content-type': 'json' } });
  assert.deepEqual([response.status, await response.text()], [200, 'processed']);
});
