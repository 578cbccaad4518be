import compiled from '#velora/verify.wasm';
import { use } from '../native/instance.js';

use(0, compiled);
