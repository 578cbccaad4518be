// What the package says it has is what it has, and what the core has.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

test('the packages of the platforms are of one version, and become optional dependencies', async (context) => {
  const main = json('velora-node/package.json');
  const [, version] = /\[workspace\.package\][\s\S]*?version = "([^"]+)"/.exec(text('Cargo.toml'));
  assert.equal(main.version, version);
  const wanted = {};
  for (const folder of readdirSync(join(PACKAGE, 'npm'))) {
    const platform = json('velora-node/npm', folder, 'package.json');
    assert.equal(platform.version, version, folder);
    assert.deepEqual([platform.name, platform.main], [`velora-${folder}`, `velora.${folder}.node`]);
    assert.deepEqual(platform.engines, main.engines);
    wanted[platform.name] = version;
  }
  assert.equal(Object.keys(wanted).length, main.napi.targets.length);

  // As publishing does it, in a copy.
  const copy = temporary(context);
  for (const part of ['package.json', 'npm', 'README.md', 'native', 'dist']) {
    cpSync(join(PACKAGE, part), join(copy, part), { recursive: true });
  }
  for (const folder of readdirSync(join(copy, 'npm'))) {
    writeFileSync(join(copy, 'npm', folder, `velora.${folder}.node`), '');
  }
  const [command, ...args] = main.scripts.prepublishOnly.split(' ');
  execFileSync(process.execPath, [join(PACKAGE, 'node_modules/.bin', command), ...args, '--skip-optional-publish'], { cwd: copy, stdio: 'ignore' });
  assert.deepEqual(JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')).optionalDependencies, wanted);
});
