// `conformance/run wasm`: the same questions as in every other language, answered through
// the public API of the npm package alone.

import * as velora from '../../velora-wasm/dist/client-entry.js';
import { answers } from '../js/cases.mjs';
import { answerAll } from '../js/lines.mjs';
import { read } from '../js/read.mjs';

const [command, ...rest] = process.argv.slice(2);
switch (command) {
  case 'verify':
  case 'event':
  case 'key':
    await answerAll(answers(velora)[command], process.stdin, process.stdout);
    break;
  case 'list-events':
  case 'export':
    process.exitCode = await read(velora, command, rest);
    break;
  default:
    console.error('usage: node main.mjs verify|event|key|list-events|export');
    process.exitCode = 2;
}
