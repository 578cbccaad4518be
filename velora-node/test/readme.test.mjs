// The blocks of the READMEs are run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Signer } from 'velora';
import { HEALTH_KEY, ROOT, SECRET, simulate } from './support.mjs';

const blocks = (file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block);

async function run(context, script, env, until) {
  const folder = await mkdtemp(join(ROOT, 'velora-node/target-readme-'));
  const program = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(async () => {
    program.kill();
    await rm(folder, { recursive: true });
  });
  let printed = '';
  program.stdout.on('data', (chunk) => { printed += chunk; });
  const ended = once(program, 'exit');
  const code = until ? await until(() => printed) : (await ended)[0];
  return { code, printed };
}

const npm = blocks('velora-node/README.md');

async function delivered(context, script) {
  const port = 20_000 + (process.pid % 20_000);
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
  await run(context, script.replace('8080', String(port)), { VELORA_WEBHOOK_SECRET: SECRET }, async (printed) => {
    const post = () => fetch(`http://127.0.0.1:${port}/velora-webhook`, { method: 'POST', body, headers });
    let response;
    for (let attempt = 0; attempt < 100 && response === undefined; attempt += 1) {
      response = await post().catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
    }
    assert.equal(response.status, 200);
    while (!printed().includes('phi.read evt_1')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}

test('receive', (context) => delivered(context, npm[0]));

test('only verify', async (context) => {
  const { code, printed } = await run(context, npm[1], {});
  assert.deepEqual([code, printed], [0, 'tv:evt_abc123 stream.online\n']);
});

test('read the APIs', async (context) => {
  const simulator = await simulate(context, '--events', '1200');
  const { code, printed } = await run(context, npm[2], { VELORA_API_KEY: HEALTH_KEY, VELORA_BASE_URL: simulator.url });
  assert.equal(code, 0);
  assert.match(printed, /1200 rows, proven whole\n$/);
});

test('deduplicate by yourself', async (context) => {
  const { code } = await run(context, `${npm[3]}\nif ((await store.claim('tv:evt_abc123')).state !== 'done') process.exit(1);`, {});
  assert.equal(code, 0);
});

test('the quickstart of the project', (context) => delivered(context, blocks('README.md')[0]));
