// The documented names and codes are those of the package, and those of the core.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as velora from 'velora';
import { CLASSES, licensed, ROOT, temporary } from './support.mjs';

const PACKAGE = join(ROOT, 'velora-node');
const text = (...path) => readFileSync(join(ROOT, ...path), 'utf8');
const json = (...path) => JSON.parse(text(...path));
const texts = (type) => [...type.matchAll(/'([^']+)'/g)].map(([, name]) => name);

test('the codes are those of the core', () => {
  const source = text('velora-core/src/error/code.rs');
  const core = [...source.matchAll(/^ {4}\/\/\/ (.*)\n(?: {4}#.*\n)? {4}[A-Z]\w+ = "(\w+)",$/gm)].map(([, words, code]) => [words, code]);
  const union = [...text('velora-node/ts/codes.ts').matchAll(/^ {2}\/\*\* (.*) \*\/\n {2}\| '(\w+)';?$/gm)].map(([, words, code]) => [words, code]);
  assert.ok(core.length > 40);
  assert.equal(core.length, source.match(/ = "\w+",$/gm).length);
  assert.deepEqual(union, [...core, ['A fault of this package itself.', 'internal']]);
});

test('the errors of the core are classes', () => {
  const codes = text('velora-node/ts/codes.ts');
  assert.ok(CLASSES.size > 40 && [...CLASSES.keys()].every((code) => codes.includes(`'${code}'`)));
  for (const name of new Set(CLASSES.values())) {
    assert.ok(velora[name].prototype instanceof velora.VeloraError, name);
    assert.equal(velora[name].prototype.name, name);
  }
});

test('errors call options as they are called here, and nothing else', async () => {
  const misused = [
    ['idleTimeout', () => new velora.tv.Client({ token: 't' }).events({ idleTimeout: 0 })],
    ['dangerousShortRetention', () => new velora.MemoryStore({ retention: 60 })],
    ['writesPerMinute', () => new velora.billing.Client({ apiKey: 'a' }).refireFailed('e', { writesPerMinute: 0 })],
  ];
  for (const [name, call] of misused) {
    await assert.rejects(async () => call(), ({ message }) => message.includes(`\`${name}\``), name);
  }
  await assert.rejects(velora.health.Manifest.read('/no_such/`a_file`'), ({ message }) => message.includes('/no_such/`a_file`'));
});

for (const system of ['health', 'curae', 'tv']) {
  test(`${system}: the event types are those of the core`, () => {
    const [, block] = /event_types! \{([\s\S]*?)\n\}/.exec(text(`velora-core/src/${system}/event.rs`));
    const core = [...block.matchAll(/= "([\w.]+)"/g)].map(([, name]) => name);
    const [, union] = /export type KnownEventType =([\s\S]*?);/.exec(text(`velora-node/ts/${system}/event.ts`));
    assert.ok(core.length > 3);
    assert.deepEqual(texts(union).toSorted(), core.toSorted());
  });
}

test('what is published has the licences in it', () => {
  licensed('velora-node', ...readdirSync(join(PACKAGE, 'npm')).map((name) => `velora-node/npm/${name}`));
});

test('the packages of the platforms are of one version, and what the loader asks for', () => {
  const main = json('velora-node/package.json');
  const [, version] = /\[workspace\.package\][\s\S]*?version = "([^"]+)"/.exec(text('Cargo.toml'));
  assert.equal(main.version, version);
  const loader = text('velora-node/native/index.js');
  const platforms = readdirSync(join(PACKAGE, 'npm'));
  for (const folder of platforms) {
    const platform = json('velora-node/npm', folder, 'package.json');
    const [os, cpu, abi] = folder.split('-');
    assert.equal(platform.version, version, folder);
    assert.deepEqual([platform.name, platform.main], [`velora-${folder}`, `velora.${folder}.node`]);
    assert.deepEqual([platform.os, platform.cpu, platform.libc], [[os], [cpu], { gnu: ['glibc'], musl: ['musl'] }[abi]]);
    assert.ok(platform.files.includes(platform.main), folder);
    assert.ok(loader.includes(`require('${platform.name}')`), folder);
    assert.deepEqual(platform.engines, main.engines);
  }
  const targets = platforms.map((folder) => /\*\*(\S+)\*\*/.exec(text('velora-node/npm', folder, 'README.md'))[1]);
  assert.deepEqual(targets.sort(), main.napi.targets.toSorted());
});

test('what is packed can be loaded where it is installed', (context) => {
  const folder = temporary(context);
  const addon = readdirSync(join(PACKAGE, 'native')).find((name) => name.endsWith('.node'));
  execFileSync(process.execPath, ['scripts/pack.mjs', '--addon', join('native', addon), '--to', folder], { cwd: PACKAGE, stdio: 'ignore' });
  const packed = readdirSync(folder);
  assert.equal(packed.length, 2, packed.join());
  for (const file of packed) {
    const installed = join(folder, 'node_modules', file.replace(/-\d.*/, ''));
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(folder, file), '-C', installed, '--strip-components=1']);
  }
  const { optionalDependencies, version } = JSON.parse(readFileSync(join(folder, 'node_modules/velora/package.json'), 'utf8'));
  const platforms = readdirSync(join(PACKAGE, 'npm'));
  assert.deepEqual(optionalDependencies, Object.fromEntries(platforms.map((name) => [`velora-${name}`, version])));
  for (const [type, script] of [
    ['commonjs', "console.log(require('velora/fastify').deliveries.length, new (require('velora').Verifier)('tv', 's').scheme)"],
    ['module', "import { Verifier } from 'velora'; import { deliveries } from 'velora/express'; console.log(deliveries.length, new Verifier('tv', 's').scheme)"],
  ]) {
    const printed = execFileSync(process.execPath, [`--input-type=${type}`, '--eval', script], { cwd: folder, encoding: 'utf8' });
    assert.match(printed, /^\d tv\n$/, type);
  }
});
