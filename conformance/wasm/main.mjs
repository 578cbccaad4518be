// `conformance/run wasm`: the same questions as in every other language, answered through
// the public API of the npm package alone.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import * as velora from '../../velora-wasm/dist/client-entry.js';
import { answers } from './cases.mjs';

/** So much is written at once while more is waiting to be read. */
const BATCH = 64 * 1024;

const [command, ...rest] = process.argv.slice(2);
switch (command) {
  case 'verify':
  case 'event':
    await answerAll(answers(velora)[command], process.stdin, process.stdout);
    break;
  case 'list-events':
  case 'export':
    process.exitCode = await read(command, rest);
    break;
  default:
    console.error('usage: node main.mjs verify|event|list-events|export');
    process.exitCode = 2;
}

async function answerAll(answer, input, output) {
  let written = '';
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const text = line.trim();
    if (text !== '') {
      written += `${answer(text)}\n`;
    }
    // One who waits for an answer before writing the next case gets it.
    if (written.length > BATCH || input.readableLength === 0) {
      if (!output.write(written)) {
        await once(output, 'drain');
      }
      written = '';
    }
  }
  output.write(written);
}

/** Reads the audit API, and prints each event as it was received; gives the exit code. */
async function read(command, args) {
  const text = { type: 'string' };
  const { values: given } = parseArgs({
    args,
    options: { 'base-url': text, 'api-key': text, since: text, until: text, 'phi-involved': text, limit: text },
  });
  try {
    const client = new velora.health.Client({ apiKey: given['api-key'], baseUrl: given['base-url'] });
    const query = { since: given.since, until: given.until };
    if (given['phi-involved'] !== undefined) {
      query.phiInvolved = given['phi-involved'] === 'true';
    }
    if (command === 'list-events' && given.limit !== undefined) {
      query.limit = Number(given.limit);
    }
    const events = command === 'export' ? client.export(query) : client.events(query);
    for await (const page of events.pages()) {
      if (!process.stdout.write(`${page.raw.join('\n')}\n`)) {
        await once(process.stdout, 'drain');
      }
    }
    return 0;
  } catch (error) {
    if (!(error instanceof velora.VeloraError)) {
      throw error;
    }
    const status = error instanceof velora.ApiError ? error.status : null;
    console.error(JSON.stringify({ code: error.code, status, message: error.message }));
    return 1;
  }
}
