/** Schemes by their names; one of your own is a `Scheme`, which not everyone has. */

import type { SchemeParts } from '../native/index.js';
import { invalidOption } from './options.js';
import type { Scheme } from './scheme.js';

/** The systems' own schemes. */
export type SchemeName = 'health' | 'billing' | 'curae' | 'tv' | 'tv-body-only';

/** Where a `Scheme` has its parts. */
export const PARTS = Symbol('parts');

/** What the addon takes. */
export function schemeArgument(scheme: SchemeName | Scheme): string | SchemeParts {
  const argument = typeof scheme === 'string' ? scheme : (scheme as Partial<Scheme> | null | undefined)?.[PARTS];
  if (argument === undefined) {
    throw invalidOption('the scheme is neither a name nor a Scheme');
  }
  return argument;
}
