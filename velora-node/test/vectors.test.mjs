// The shared vectors: the same verdict as in every other language.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { answers } from '../../conformance/js/cases.mjs';
import { answerAll } from '../../conformance/js/lines.mjs';
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

test('every line that is not blank is answered', async () => {
  const whole = '{"id":7,"scheme":"tv","secrets":["é"],"body_b64":"","headers":[],"now":1}';
  const said = (id, code) => JSON.stringify({ id, ok: false, code });
  const given = async (input) => {
    const output = new PassThrough({ encoding: 'utf8' });
    // In pieces, so that lines and characters are cut.
    const pieces = Array.from({ length: Math.ceil(input.length / 7) }, (_, at) => input.subarray(at * 7, at * 7 + 7));
    await answerAll(verify, Readable.from(pieces, { objectMode: false }), output);
    return (output.read() ?? '').split('\n');
  };
  const genuine = said(7, 'missing_header');
  assert.deepEqual(await given(Buffer.from(`\n  \r\n${whole}\r\n\t\n\f${whole} \n${whole}`)), [genuine, genuine, genuine, '']);
  const none = said(null, 'invalid_case');
  assert.deepEqual(await given(Buffer.from(`\u00a0\n\ufeff${whole}\n${whole}\v\n`)), [none, none, none, '']);
  assert.deepEqual(await given(Buffer.from(`${whole}\n`, 'latin1')), [none, '']);
  assert.deepEqual(await given(Buffer.alloc(0)), ['']);
});
