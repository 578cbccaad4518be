// `conformance/run node`: the same questions as in every other language, answered through
// the public API of the npm package alone.

import * as velora from '../../velora-node/dist/index.mjs';
import { answers } from '../js/cases.mjs';
import { answerAll } from '../js/lines.mjs';
import { read } from '../js/read.mjs';
import { claim } from './claim.mjs';

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
  case 'claim':
    process.exitCode = await claim(rest, process.stdin, process.stdout);
    break;
  default:
    console.error('usage: node main.mjs verify|event|key|list-events|export|claim');
    process.exitCode = 2;
}
