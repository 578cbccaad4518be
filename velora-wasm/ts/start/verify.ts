import compiled from '#velora/verify';
import { use } from '../native/instance.js';

use(0, compiled);
