// `conformance/run wasm`: the same commands as in every other language, implemented with only
// the public API of the npm package.

import * as velora from '../../velora-wasm/dist/client-entry.js';
import { run } from '../js/command.mjs';

await run('wasm', velora);
