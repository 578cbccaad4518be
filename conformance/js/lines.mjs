// Reads cases, one per line, and writes their answers in order.

import { once } from 'node:events';

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** What Rust calls white space in ASCII. `trim` knows more, all of which is no blank to the others. */
const BLANKS = ' \t\r\f';

/** Answers every line that is not blank. A caller that waits for an answer before writing the next case gets it. */
export async function answerAll(answer, input, output) {
  for await (const lines of chunksOfLines(input)) {
    if (!output.write(lines.map((line) => `${answer(line)}\n`).join(''))) {
      await once(output, 'drain');
    }
  }
}

/**
 * The complete lines of what can be read at once that are not blank, without the blanks around them;
 * the last line needs no line end. Only a line feed ends a line: `readline` also splits at other
 * characters, which may stand in JSON.
 */
export async function* chunksOfLines(input) {
  let rest = '';
  for await (const chunk of input.setEncoding('latin1')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield textsOf(lines);
  }
  yield textsOf([rest]);
}

function textsOf(lines) {
  return lines.map(trimmed).filter((line) => line !== '').map(decoded);
}

function trimmed(line) {
  let [start, end] = [0, line.length];
  while (start < end && BLANKS.includes(line[start])) {
    start += 1;
  }
  while (start < end && BLANKS.includes(line[end - 1])) {
    end -= 1;
  }
  return line.slice(start, end);
}

/** The text of these bytes. What is not UTF-8 is no JSON either: it must not become other text that is. */
function decoded(bytes) {
  try {
    return UTF_8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return 'not UTF-8';
  }
}
