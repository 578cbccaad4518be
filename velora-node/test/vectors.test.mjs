// The shared vectors: the same verdict as in every other language.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answers } from '../../conformance/js/cases.mjs';
import * as velora from 'velora';
import { ROOT } from './support.mjs';

const { verify, event, key } = answers(velora);
const vectors = join(ROOT, 'conformance/vectors');

function holds(folder, answer) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  assert.ok(files.length > 0);
  for (const file of files) {
    test(file, () => {
      const lines = readFileSync(join(folder, file), 'utf8').split('\n').filter((line) => line !== '');
      assert.ok(lines.length > 0);
      for (const line of lines) {
        const { id, expect } = JSON.parse(line);
        assert.deepEqual(JSON.parse(answer(line)), { id, ...expect }, id);
      }
    });
  }
}

holds(vectors, verify);
holds(join(vectors, 'events'), event);
holds(join(vectors, 'keys'), key);

test('what is no case is answered as such', () => {
  for (const line of ['{', '[]', 'null', '{"id":7}', '{"id":7,"scheme":1}',
    '{"id":7,"scheme":"tv","body_b64":"","headers":[],"now":1e400}', '{"id":7,"scheme":"tv","secrets":["\\ud800"],"body_b64":"","headers":[],"now":1}']) {
    assert.equal(JSON.parse(verify(line)).code, 'invalid_case', line);
  }
  assert.equal(JSON.parse(verify('{"id":7}')).id, 7);
});
