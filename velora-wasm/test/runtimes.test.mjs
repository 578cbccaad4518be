// The shared vectors in real runtimes, each with the package as its bundler resolves it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Miniflare } from 'miniflare';
import { temporary } from '../../velora-node/test/support.mjs';
import { bundle, programOf, vectors } from './runtimes/bundle.mjs';
import { browser } from './runtimes/browser.mjs';

function holds({ count, failed }) {
  assert.ok(count > 300, String(count));
  assert.deepEqual(failed, []);
}

/** A worker without anything of Node's. */
export function worker(context, { script, modules }, options = {}) {
  const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
  const flare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01', cf: false, ...options,
  });
  context.after(() => flare.dispose());
  return flare;
}

const WORKER = '\nexport default { fetch: async () => Response.json(await failures()) };';
for (const [name, conditions] of [['workerd', ['workerd', 'worker', 'browser']], ['workerd as an edge function', ['edge-light', 'worker']]]) {
  test(name, async (context) => {
    const flare = worker(context, await bundle(vectors() + WORKER, conditions));
    holds(await (await flare.dispatchFetch('http://worker.example')).json());
  });
}

for (const runtime of ['deno', 'bun']) {
  test(runtime, async (context) => {
    const file = join(temporary(context), 'vectors.mjs');
    await writeFile(file, (await bundle(`${vectors()}\nconsole.log(JSON.stringify(await failures()));`, [runtime])).script);
    const { stdout } = await promisify(execFile)(programOf(runtime), ['run', file], { env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' }, maxBuffer: 1 << 24 });
    holds(JSON.parse(stdout));
  });
}

test('chromium', async (context) => {
  const page = await browser(context);
  const { script } = await bundle(`${vectors()}\nglobalThis.failures = failures;`, ['browser']);
  await page.addScriptTag({ content: script, type: 'module' });
  await page.waitForFunction(() => globalThis.failures !== undefined);
  holds(await page.evaluate(() => globalThis.failures()));
});
