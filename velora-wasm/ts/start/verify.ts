import compiled from '#velora/verify.wasm';
import beside from '../wasm/verify.js';
import { use } from '../native/instance.js';
import { moduleOf } from './begin.js';

use(moduleOf(0, compiled, beside));
