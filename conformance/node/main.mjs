// `conformance/run node`: the same commands as in every other language, implemented with only
// the public API of the npm package.

import * as velora from '../../velora-node/dist/index.mjs';
import { run } from '../js/command.mjs';
import { claim } from './claim.mjs';

await run('node', velora, { claim: (args) => claim(args, process.stdin, process.stdout) });
