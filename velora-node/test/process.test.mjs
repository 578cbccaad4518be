// Panics, threads and memory.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Signer, Verifier } from 'velora';
import { ROOT, SECRET } from './support.mjs';

const THREADS = Number(process.env.VELORA_SOAK_THREADS ?? 200);
const VERIFICATIONS = Number(process.env.VELORA_SOAK_VERIFICATIONS ?? 300_000);
const MEBIBYTE = 1024 * 1024;

test('a panic is an error, and the process goes on', async () => {
  const folder = join(ROOT, 'velora-node/native');
  const file = readdirSync(folder).find((name) => name.endsWith('.node'));
  const addon = createRequire(import.meta.url)(join(folder, file));
  assert.throws(() => addon.panicNow(), Error);
  await assert.rejects(addon.panicLater(), Error);
  assert.throws(() => addon.panicFast(), /panic/);
  const { body, headers } = new Signer('tv', SECRET).sign('{"id":"1","type":"x"}');
  assert.equal(new Verifier('tv', SECRET).verify(body, headers).event.id, '1');
});

const LOAD = `
const { parentPort } = require('node:worker_threads');
const { MemoryStore, Receiver, Signer, Verifier, health } = require('velora');
(async () => {
  const verifier = new Verifier('health', 'secret');
  const signed = new Signer('health', 'secret').sign('{"id":"1","type":"x"}');
  for (let i = 0; i < 50; i += 1) verifier.verify(signed.body, signed.headers).event;
  const receiver = new Receiver({ verifier, store: new MemoryStore(), onEvent: async () => {} });
  const reply = await receiver.receive(signed.body, signed.headers);
  // What is still under way when the thread ends.
  new health.Client({ apiKey: 'a', baseUrl: 'http://127.0.0.1:9', attempts: 1 }).probe().catch(() => {});
  receiver.receive(signed.body, signed.headers).catch(() => {});
  parentPort.postMessage(reply.outcome);
})();
`;

async function thread(terminated) {
  const worker = new Worker(LOAD, { eval: true });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const outcome = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  if (terminated) {
    await worker.terminate();
  }
  await ended;
  return outcome;
}

test(`${THREADS} worker threads leave nothing behind`, async () => {
  const some = async (count) => {
    for (let at = 0; at < count; at += 4) {
      const outcomes = await Promise.all([0, 1, 2, 3].map((one) => thread(one % 2 === 0)));
      assert.deepEqual(outcomes, Array(4).fill('processed'));
    }
  };
  await some(40);
  const before = resources();
  await flat(() => some(THREADS - 40));
  const after = resources();
  assert.ok(after.threads <= before.threads + 16, `${before.threads} threads, then ${after.threads}`);
  assert.ok(after.files <= before.files + 16, `${before.files} open files, then ${after.files}`);
});

test(`${VERIFICATIONS} verifications leave the memory flat`, async () => {
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"1","type":"x"}', { now: 1_780_000_000 });
  const verifier = new Verifier('health', SECRET);
  const bad = { ...headers, 'X-Velora-Signature': 't=1780000000,v1=00' };
  const run = async (times) => {
    for (let at = 0; at < times; at += 1) {
      if (at % 1024 === 0) {
        // What was collected is freed between two turns of the event loop.
        await new Promise(setImmediate);
      }
      verifier.verify(body, headers, { now: 1_780_000_000 });
      if (at % 16 === 0) {
        verifier.verify(body, headers, { now: 1_780_000_000 }).event;
        new Verifier('health', SECRET);
        try {
          verifier.verify(body, bad);
        } catch (error) {
          assert.equal(error.code, 'malformed_header');
        }
      }
    }
  };
  await run(Math.min(VERIFICATIONS, 300_000));
  await flat(() => run(VERIFICATIONS));
});

/** Asserts that work leaves no memory behind: a leak grows in each of two rounds, free room in the heap only once. */
async function flat(work) {
  const rounds = [];
  do {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    await work();
    globalThis.gc?.();
    rounds.push((process.memoryUsage().rss - before) / MEBIBYTE);
  } while (rounds.at(-1) >= 64 && rounds.length < 2);
  assert.ok(rounds.at(-1) < 64, `${rounds.join(', ')} MiB`);
}

function resources() {
  globalThis.gc?.();
  // Where there is no /proc, the memory alone is looked at.
  const count = (folder) => (existsSync(folder) ? readdirSync(folder).length : 0);
  return { threads: count('/proc/self/task'), files: count('/proc/self/fd') };
}
