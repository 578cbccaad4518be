import compiled from '#velora/default.wasm';
import { use } from '../native/instance.js';
import { withEvents } from '../whole.js';

use(1, compiled);
withEvents();
