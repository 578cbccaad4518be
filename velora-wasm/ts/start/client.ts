import compiled from '#velora/client.wasm';
import beside from '../wasm/client.js';
import { use } from '../native/instance.js';
import { moduleOf } from './begin.js';

use(moduleOf(2, compiled, beside));
