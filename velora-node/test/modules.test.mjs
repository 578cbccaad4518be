import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as velora from 'velora';

test('both module systems have the same classes', () => {
  const required = createRequire(import.meta.url)('velora');
  assert.equal(required.VerificationError, velora.VerificationError);
  assert.deepEqual(Object.keys(required).sort(), Object.keys(velora).sort());
});
