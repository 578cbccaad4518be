// What a worker ships of each entry, gzipped, beside its peers; and how long a verification
// takes in workerd, all contenders in one run, round by round.

import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { bundle, PACKAGE } from '../test/runtimes/bundle.mjs';

const WORKERD = ['workerd', 'worker', 'browser'];
const PEERS = { nodePaths: [join(PACKAGE, 'bench/node_modules')] };
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

console.log('What a worker ships, minified and gzipped (script + module):');
for (const [name, contents, target] of [
  ['velora-wasm/verify', `export { Verifier } from 'velora-wasm/verify';`, 8],
  ['velora-wasm', `export { Verifier, Receiver, MemoryStore } from 'velora-wasm';`, 24],
  ['velora-wasm/client', `export { Verifier, Receiver, MemoryStore, health } from 'velora-wasm/client';`, 48],
  ['stripe', `export { default } from 'stripe';`], ['svix', `export { Webhook } from 'svix';`],
  ['standardwebhooks', `export { Webhook } from 'standardwebhooks';`],
]) {
  const { script, modules } = await bundle(contents, WORKERD, { minify: true, ...PEERS });
  const wasm = [...modules.values()].reduce((size, bytes) => size + gzipped(bytes), 0);
  const size = gzipped(script) + wasm;
  const wanted = target === undefined ? '' : `  (to reach: ${target} kB)`;
  console.log(`  ${name.padEnd(20)} ${kilobytes(size).padStart(9)} = ${kilobytes(gzipped(script))} + ${kilobytes(wasm)}${wanted}`);
}

const { script, modules } = await bundle(`
  import Stripe from 'stripe';
  import { Webhook as Standard } from 'standardwebhooks';
  import { Webhook as Svix } from 'svix';
  import { Signer, Verifier } from 'velora-wasm';
  const SECRET = '0123456789abcdef'.repeat(4);
  const BASE64 = btoa(SECRET);
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const hex = (mac) => Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const bytesOf = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const importKey = (usage) => crypto.subtle.importKey('raw', encoder.encode(SECRET), algorithm, false, [usage]);

  async function contenders(size) {
    const text = JSON.stringify({ id: 'evt_1', type: 'phi.read', pad: '' });
    const body = text.slice(0, -2) + 'x'.repeat(Math.max(0, size - text.length)) + text.slice(-2);
    const bytes = encoder.encode(body);
    const headers = new Signer('health', SECRET).sign(body).headers;
    const verifier = new Verifier('health', SECRET);
    const now = Math.floor(Date.now() / 1000);
    const sign = async (payload) => crypto.subtle.sign('HMAC', await importKey('sign'), encoder.encode(payload));
    const key = await importKey('verify');
    // By hand, as the vendor's page has it, with its header parsed and its age checked.
    const subtle = async (key) => {
      const [, t, v1] = /^t=(\\d+),v1=([0-9a-f]{64})$/.exec(headers['X-Velora-Signature']);
      if (Math.abs(Date.now() / 1000 - t) > 300) throw new Error('age');
      const prefix = encoder.encode('t=' + t + '.');
      const joined = new Uint8Array(prefix.length + bytes.length);
      joined.set(prefix);
      joined.set(bytes, prefix.length);
      if (!(await crypto.subtle.verify('HMAC', key, bytesOf(v1), joined))) throw new Error('mismatch');
    };
    const stripe = new Stripe('sk_test_1', { httpClient: Stripe.createFetchHttpClient() });
    const provider = Stripe.createSubtleCryptoProvider();
    const stripeHeader = 't=' + now + ',v1=' + hex(await sign(now + '.' + body));
    const mac = btoa(String.fromCharCode(...new Uint8Array(await sign('msg_1.' + now + '.' + body))));
    const standard = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(now), 'webhook-signature': 'v1,' + mac };
    const svix = { 'svix-id': 'msg_1', 'svix-timestamp': String(now), 'svix-signature': 'v1,' + mac };
    const [one, other] = [new Standard(BASE64), new Svix(BASE64)];
    return {
      'velora verify': () => verifier.verify(bytes, headers),
      'velora verifyAsync': () => verifier.verifyAsync(bytes, headers),
      'velora verify, awaited': async () => verifier.verify(bytes, headers),
      'subtle, key kept': () => subtle(key),
      'subtle, key each time': async () => subtle(await importKey('verify')),
      'stripe': () => stripe.webhooks.constructEventAsync(body, stripeHeader, SECRET, 300, provider),
      'standardwebhooks': () => one.verify(body, standard),
      'svix': () => other.verify(body, svix),
    };
  }

  export default { async fetch(request) {
    const { size, name, count } = await request.json();
    const call = (await contenders(size))[name];
    if (call().then !== undefined) {
      for (let at = 0; at < count; at += 1) await call();
    } else {
      for (let at = 0; at < count; at += 1) call();
    }
    return new Response('ok');
  } };
`, WORKERD, PEERS);

const wasm = [...modules].map(([path, contents]) => ({ type: 'CompiledWasm', path, contents }));
const flare = new Miniflare({
  cf: false,
  modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }, ...wasm], compatibilityDate: '2026-01-01',
});
const NAMES = ['velora verify', 'velora verifyAsync', 'velora verify, awaited', 'subtle, key kept', 'subtle, key each time', 'stripe', 'standardwebhooks', 'svix'];

/** Milliseconds of a request that verifies so often; a worker's own clock stands still. */
async function timed(size, name, count) {
  const start = performance.now();
  const response = await flare.dispatchFetch('http://bench.example', { method: 'POST', body: JSON.stringify({ size, name, count }) });
  if ((await response.text()) !== 'ok') {
    throw new Error(`${name} failed`);
  }
  return performance.now() - start;
}

const started = performance.now();
await timed(350, 'velora verify', 1);
console.log(`\nCold start of workerd, with the module and a first verdict: ${(performance.now() - started).toFixed(0)} ms`);

const ROUNDS = 21;
console.log(`\nMicroseconds for each verification, the median of ${ROUNDS} rounds; a ratio is that of one round:`);
for (const size of [350, 1024, 2048, 16_384, 1 << 20]) {
  // A tenth of a second each, beside which a request is nothing. The first round, in which the
  // code is compiled, does not count; each goes the other way than the one before it, as a
  // machine that changes its pace does so at any time.
  const count = Math.max(100, Math.min(50_000, Math.round(1e8 / (size + 1500))));
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const found = {};
    for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
      const base = await timed(size, name, 1);
      found[name] = (((await timed(size, name, count + 1)) - base) / count) * 1e3;
    }
    rounds.push(found);
  }
  const median = (read) => rounds.slice(1).map(read).sort((a, b) => a - b)[(ROUNDS - 1) / 2].toFixed(2);
  console.log(`  ${size} bytes: ${NAMES.map((name) => `${name} ${median((found) => found[name])}`).join(' · ')}`);
  const better = (found, verify = 'velora verify') => Math.min(found[verify], found['subtle, key kept']);
  console.log(`    verify / subtle ${median((found) => found['velora verify'] / found['subtle, key kept'])}, ` +
    `verifyAsync / the better ${median((found) => found['velora verifyAsync'] / better(found))} ` +
    `(of two that are awaited ${median((found) => found['velora verifyAsync'] / better(found, 'velora verify, awaited'))}), ` +
    `verify / stripe ${median((found) => found['velora verify'] / found['stripe'])}`);
}
await flare.dispose();
