import compiled from '#velora/client.wasm';
import { use } from '../native/instance.js';
import { withEvents } from '../whole.js';

use(2, compiled);
withEvents();
