// `conformance/run node`: the same questions as in every other language, answered through
// the public API of the npm package alone.

import * as velora from '../../velora-node/dist/index.mjs';
import { run } from '../js/command.mjs';
import { claim } from './claim.mjs';

await run('node', velora, { claim: (args) => claim(args, process.stdin, process.stdout) });
