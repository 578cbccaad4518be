// Reads cases, one per line, and writes their answers in order.

import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How much is written at once while more input is waiting. */
const BATCH = 64 * 1024;

/** Answers every line that is not blank. */
export async function answerAll(answer, input, output) {
  let written = '';
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const text = line.trim();
    if (text !== '') {
      written += `${answer(text)}\n`;
    }
    // A caller that waits for an answer before writing the next case gets it.
    if (written.length > BATCH || input.readableLength === 0) {
      if (!output.write(written)) {
        await once(output, 'drain');
      }
      written = '';
    }
  }
  output.write(written);
}
