/** Sets of names that may grow. */

declare const unknownName: unique symbol;

/**
 * A name that this version does not know. A value of its own in a union: comparing with a
 * known name rules it out.
 */
export type UnknownName = string & { readonly [unknownName]: true };
