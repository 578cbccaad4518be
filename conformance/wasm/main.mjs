// `conformance/run wasm`: the same questions as in every other language, answered through
// the public API of the npm package alone.

import * as velora from '../../velora-wasm/dist/client-entry.js';
import { run } from '../js/command.mjs';

await run('wasm', velora);
