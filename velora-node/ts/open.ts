/** Names and members that are not known yet. */

/**
 * A name that this version does not know: some text. An enum, as comparing with a known
 * name then rules it out; to compare it with a name of your own, write
 * `String(event.type) === 'brand.new'`.
 */
export declare enum UnknownName {
  Text = 'a name that this version does not know',
}

/** Members that a type does not name, as the system sent them. */
export type Extra = Readonly<Record<string, unknown>>;
