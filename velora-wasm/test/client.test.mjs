// The client over the hosts' own `fetch`: where it can be made, and whose ends it believes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Miniflare } from 'miniflare';
import { HEALTH_KEY, serve, WEEK } from '../../velora-node/test/support.mjs';
import { bundle } from './runtimes/bundle.mjs';

/** The worker that this is the script of. */
async function worker(context, contents, bindings = {}) {
  const { script, modules } = await bundle(contents, ['workerd']);
  const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
  const flare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01', bindings,
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
