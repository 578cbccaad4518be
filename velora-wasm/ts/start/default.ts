import compiled from '#velora/default';
import { use } from '../native/instance.js';
import { whole } from '../whole.js';

use(1, compiled);
whole();
