// Reads cases, one per line, and writes their answers in order.

import { once } from 'node:events';

/** Answers every line that is not blank. A caller that waits for an answer before writing the next case gets it. */
export async function answerAll(answer, input, output) {
  for await (const lines of chunksOfLines(input)) {
    const asked = lines.map((line) => line.trim()).filter((line) => line !== '');
    if (!output.write(asked.map((line) => `${answer(line)}\n`).join(''))) {
      await once(output, 'drain');
    }
  }
}

/**
 * The complete lines of what can be read at once; the last line needs no line end. Only a line feed
 * ends a line: `readline` also splits at other characters, which may stand in JSON.
 */
export async function* chunksOfLines(input) {
  let rest = '';
  for await (const chunk of input.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield lines;
  }
  yield [rest];
}
