import compiled from '#velora/default.wasm';
import { use } from '../native/instance.js';

use(1, compiled);
