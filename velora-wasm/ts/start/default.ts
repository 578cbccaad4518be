import compiled from '#velora/default.wasm';
import beside from '../wasm/default.js';
import { use } from '../native/instance.js';
import { moduleOf } from './begin.js';

use(moduleOf(1, compiled, beside));
