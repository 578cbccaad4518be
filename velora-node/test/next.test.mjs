// The example for Next.js, built and served by Next.js itself.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { Signer } from 'velora';
import { ROOT, run, SECRET, temporary } from './support.mjs';

const PACKAGE = join(ROOT, 'velora-node');
const NEXT = createRequire(import.meta.url).resolve('next/dist/bin/next');

/** The example as a project of its own: the package installed as it is published. */
function project(context) {
  const folder = temporary(context);
  for (const part of ['app', 'next.config.mjs']) {
    cpSync(join(ROOT, 'examples/node/next', part), join(folder, part), { recursive: true });
  }
  const installed = join(folder, 'node_modules');
  mkdirSync(join(installed, 'velora'), { recursive: true });
  for (const part of ['package.json', 'dist', 'native']) {
    cpSync(join(PACKAGE, part), join(installed, 'velora', part), { recursive: true });
  }
  for (const name of ['next', 'react', 'react-dom']) {
    symlinkSync(join(PACKAGE, 'node_modules', name), join(installed, name), 'junction');
  }
  return folder;
}

test('next.js: a route handler answers what the receiver says', async (context) => {
  const folder = project(context);
  // Turbopack follows no link out of the project, and `next` is one here. The secret is not where it is built.
  const environment = { NEXT_TELEMETRY_DISABLED: '1', VELORA_WEBHOOK_SECRET: undefined };
  const build = run(context, [NEXT, 'build', '--webpack', folder], environment);
  assert.equal(await build.exit, 0, build.printed());
  const args = [NEXT, 'start', '--port', '0', '--hostname', '127.0.0.1', folder];
  const program = run(context, args, { ...environment, VELORA_WEBHOOK_SECRET: SECRET });
  const [, port] = await program.prints(/127\.0\.0\.1:(\d+)/);

  const post = async (body, headers) => {
    const response = await fetch(`http://127.0.0.1:${port}/velora-webhook`, { method: 'POST', body, headers });
    return [response.status, await response.text()];
  };
  // Blanks that a parser would not give back, and a type that would have it parsed.
  const { body, headers } = new Signer('health', SECRET).sign('{ "id" : "evt_1",\n "type":"phi.read" }');
  const typed = { ...headers, 'content-type': 'application/json' };
  assert.deepEqual(await post(body, typed), [200, 'processed']);
  assert.deepEqual(await post(body, typed), [200, 'duplicate']);
  assert.deepEqual(await post('{"id":"evt_1","type":"phi.read"}', typed), [401, 'signature_mismatch']);
  assert.deepEqual(await post(body, { 'content-type': 'application/json' }), [401, 'missing_header']);
  await program.prints(/phi\.read evt_1/);
});
