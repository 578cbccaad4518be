import compiled from '#velora/client.wasm';
import { use } from '../native/instance.js';

use(2, compiled);
