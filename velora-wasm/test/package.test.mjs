// The package as its users see it: with their bundlers and their compiler, its README, and the
// conformance command.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { Signer } from 'velora-wasm';
import { blocks, HEALTH_KEY, holdsToTypes, licensed, ROOT, run, saysUsage, simulate, SINCE, temporary, UNTIL, WEEK } from '../../velora-node/test/support.mjs';
import { PACKAGE } from './runtimes/bundle.mjs';

const SECRET = 'whsec-of-your-endpoint';

/** A folder in which the package is found. */
const folder = (context) => temporary(context, join(PACKAGE, 'build-'));

const BUNDLERS = {
  async esbuild(entry, outfile) {
    await esbuild({ entryPoints: [entry], outfile, bundle: true, format: 'esm', minify: true, logLevel: 'error' });
  },
  async vite(entry, outfile) {
    await vite({
      configFile: false, logLevel: 'error', root: join(entry, '..'),
      build: { lib: { entry, formats: ['es'], fileName: () => 'out.mjs' }, outDir: join(outfile, '..'), emptyOutDir: false },
    });
  },
  async webpack(entry, outfile) {
    const stats = await promisify(webpack)({
      mode: 'production', entry, target: 'web', experiments: { outputModule: true },
      output: { path: join(outfile, '..'), filename: 'out.mjs', library: { type: 'module' } },
    });
    assert.deepEqual(stats.toJson().errors, []);
  },
};

test('what is published has the licences in it', () => licensed('velora-wasm'));

for (const [name, bundler] of Object.entries(BUNDLERS)) {
  test(`what ${name} makes of it runs, with nothing beside it`, async (context) => {
    const inside = folder(context);
    const entry = join(inside, 'entry.mjs');
    await writeFile(entry, `
      import { Verifier } from 'velora-wasm/verify';
      import { health, MemoryStore, Receiver, Verifier as All } from 'velora-wasm/client';
      export const alone = (body, headers) => new Verifier('health', '${SECRET}').verify(body, headers).secretIndex;
      export const all = (body, headers) => new Receiver({
        verifier: new All('health', '${SECRET}'), store: new MemoryStore(), onEvent: () => {},
      }).receive(body, headers);
      export const client = () => new health.Client({ apiKey: '${HEALTH_KEY}', baseUrl: 'http://127.0.0.1:1' });
    `);
    await bundler(entry, join(inside, 'out.mjs'));
    const made = await import(join(inside, 'out.mjs'));
    const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
    assert.equal(made.alone(body, headers), 0);
    assert.equal((await made.all(body, headers)).outcome, 'processed');
    assert.equal(made.client().rateLimit.limit, null);
  });
}

test('each bundler for workers is given a name that leads it to the module', async () => {
  // To Nitro, a name without a suffix means what the module exports; other tools know no suffix.
  const NITRO = ['wintercg', 'worker', 'web', 'browser', 'workerd', 'edge-light', 'netlify', 'deno', 'wasm', 'unwasm'];
  for (const [conditions, suffix] of [[['workerd', 'worker', 'browser'], ''], [NITRO, '?module'], [['edge-light', 'worker'], '?module']]) {
    const asked = [];
    const plugin = {
      name: 'asked',
      setup: (build) => build.onResolve({ filter: /\.wasm/ }, ({ path }) => {
        asked.push(path);
        return { path, external: true };
      }),
    };
    const contents = ['/verify', '', '/client'].map((entry) => `import 'velora-wasm${entry}';`).join('');
    await esbuild({ stdin: { contents, resolveDir: PACKAGE }, bundle: true, write: false, format: 'esm', conditions, plugins: [plugin] });
    assert.deepEqual(asked.sort(), ['client', 'default', 'verify'].map((name) => `./${name}.wasm${suffix}`));
  }
});

test('a bundle that is run as CommonJS finds the module', async (context) => {
  const inside = folder(context);
  await writeFile(join(inside, 'entry.mjs'), `
    import { Verifier } from 'velora-wasm/verify';
    console.log(new Verifier('health', '${SECRET}').scheme);`);
  await esbuild({ entryPoints: [join(inside, 'entry.mjs')], outfile: join(inside, 'out.cjs'), bundle: true, format: 'esm', platform: 'browser', logLevel: 'error' });
  const { status, stdout } = spawnSync(process.execPath, [join(inside, 'out.cjs')], { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, 'health\n']);
});

test('what users write holds to the types', async (context) => {
  const program = run(context, [join(PACKAGE, 'node_modules/typescript/bin/tsc'), '--project', 'tsconfig.types.json'], {}, { cwd: PACKAGE });
  assert.equal(await program.exit, 0, program.printed());
});

const [RECEIVE, ROTATE, READ] = blocks('velora-wasm/README.md');

test('what the README has holds to the types', () => holdsToTypes('velora-wasm', [RECEIVE, ROTATE, READ]));

test('the types need nothing of the DOM', () =>
  holdsToTypes('velora-wasm', [RECEIVE, ROTATE, READ], { lib: ['es2022', 'esnext.disposable'] }));

test('the README receives', async (context) => {
  const file = join(folder(context), 'receive.mjs');
  await writeFile(file, RECEIVE);
  const { default: worker } = await import(file);
  const { body, headers } = new Signer('health', SECRET).sign('{"id":"evt_1","type":"phi.read"}');
  const response = await worker.fetch(new Request('http://a/', { method: 'POST', body, headers }));
  assert.deepEqual([response.status, await response.text()], [200, 'processed']);
});

test('the README rotates', async (context) => {
  const file = join(folder(context), 'rotate.mjs');
  await writeFile(file, ROTATE);
  const program = run(context, [file]);
  assert.deepEqual([await program.exit, program.printed()], [0, '1\n']);
});

test('the README reads the audit API', async (context) => {
  const simulator = await simulate(context, '--events', '1200');
  const file = join(folder(context), 'read.mjs');
  assert.ok(READ.includes(`{ apiKey: 'vlk_live_…' }`));
  const script = READ.replace(`{ apiKey: 'vlk_live_…' }`, JSON.stringify({ apiKey: HEALTH_KEY, baseUrl: simulator.url }));
  await writeFile(file, `${script}\nconsole.log('exported', (await new Response(ndjson).text()).split('\\n').length - 1);`);
  const program = run(context, [file]);
  assert.equal(await program.exit, 0);
  const lines = program.printed().split('\n');
  assert.deepEqual([lines.length, lines.at(-2)], [1202, 'exported 1200']);
});

const command = (context, name, url, key = HEALTH_KEY, ...more) =>
  run(context, [join(ROOT, 'conformance/wasm/main.mjs'), name, '--base-url', url, '--api-key', key, '--since', SINCE, '--until', UNTIL, ...more], {}, {
    stdio: ['ignore', 'pipe', 'ignore'],
  });

for (const name of ['list-events', 'export']) {
  test(`the command prints what it reads: ${name}`, async (context) => {
    const simulator = await simulate(context, '--events', '2345', '--export-cap', '500');
    const idsOf = async (program) => {
      assert.equal(await program.exit, 0);
      return program.printed().trimEnd().split('\n').map((line) => JSON.parse(line).event_id).sort();
    };
    assert.deepEqual(await idsOf(command(context, name, simulator.url)), (await simulator.truth('ids', WEEK)).sort());
    for (const involved of ['true', 'false']) {
      const program = command(context, name, simulator.url, HEALTH_KEY, '--phi-involved', involved);
      assert.deepEqual(await idsOf(program), (await simulator.truth('ids', { ...WEEK, phi_involved: involved })).sort());
    }
    assert.equal(await command(context, name, simulator.url, `${HEALTH_KEY.slice(0, -1)}e`).exit, 1);
  });
}

test('the command says how it is used', () => saysUsage('wasm'));

test('the command refuses what it does not know', () => {
  const asked = ['--base-url', 'http://127.0.0.1:1', '--api-key', HEALTH_KEY, '--since', SINCE, '--until', UNTIL];
  const odd = [
    ['--phi-involved', 'True'], ['--phi-involved', 'yes'], ['--phi-involved='], ['--limit', 'many'], ['--limit'], ['--bogus', '1'], ['more'],
  ].map((more) => ['list-events', ...asked, ...more]);
  const lacking = [0, 2, 4, 6].map((at) => ['export', ...asked.toSpliced(at, 2)]);
  for (const args of [...odd, ...lacking]) {
    const program = join(ROOT, 'conformance/wasm/main.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^usage: /m, args.join(' '));
  }
});
