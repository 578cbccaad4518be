import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import * as velora from 'velora';
import { ROOT } from './support.mjs';

const PACKAGE = join(ROOT, 'velora-node');
const manifest = (folder) => JSON.parse(readFileSync(join(PACKAGE, folder, 'package.json')));

test('both module systems have the same classes', () => {
  const required = createRequire(import.meta.url)('velora');
  assert.equal(required.VerificationError, velora.VerificationError);
  assert.deepEqual(Object.keys(required).sort(), Object.keys(velora).sort());
});

test('the oldest Node that is asked for disposes of leases, and joins signals', () => {
  // AbortSignal.any came with 20.3, Symbol.asyncDispose with 20.4.
  for (const folder of ['.', ...readdirSync(join(PACKAGE, 'npm')).map((name) => `npm/${name}`)]) {
    assert.deepEqual(manifest(folder).engines, { node: '>=20.4' }, folder);
  }
  assert.match(readFileSync(join(PACKAGE, 'README.md'), 'utf8'), /20\.4 or later/);
});
