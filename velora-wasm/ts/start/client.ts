import compiled from '#velora/client';
import { use } from '../native/instance.js';
import { whole } from '../whole.js';

use(2, compiled);
whole();
