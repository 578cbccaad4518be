/** The proof of an export into a file. */

import * as native from '../../native/index.js';
import { call } from '../calls.js';
import { FileError, learnKind } from '../errors.js';
import { text } from '../options.js';

learnKind('file', FileError);

/** A part of an export that was read completely in one go. */
export interface LeafProof {
  /** The first instant in it: a string, because a `Date` has no microseconds. */
  readonly since: string;
  /** The first instant after it. */
  readonly until: string;
  /** How many rows it holds. */
  readonly rows: number;
  /** How many bytes of the file these rows take, line ends included. */
  readonly bytes: number;
  /** The id of its first row. */
  readonly firstId: string | null;
  /** The id of its last row. */
  readonly lastId: string | null;
  /** The SHA-256 of those bytes, in hex. */
  readonly sha256: string;
}

/** The proof of an export: the leaves that tile its window, and what each of them holds. A leaf is a window read in one go. */
export class Manifest {
  /** The version of the manifest format. */
  readonly format: number;
  /** The base URL that the rows came from. The tenant is not recorded: the API key decided it. */
  readonly baseUrl: string;
  /** The start of the window: a string, because a `Date` has no microseconds. */
  readonly since: string;
  /** The end of the window, exclusive. */
  readonly until: string;
  /**
   * Up to here the window was over when it was read. It is `until`, unless the window ended in the
   * future: what happened from here on may be missing.
   */
  readonly completeUntil: string;
  /** The filter; null if both kinds of events were exported. */
  readonly phiInvolved: boolean | null;
  /** How many rows there are. */
  readonly rows: number;
  /** How many bytes the file has. */
  readonly bytes: number;
  /** The leaves, in order of time and of their place in the file. */
  readonly leaves: readonly LeafProof[];
  readonly #native: native.NativeManifest;

  private constructor(made: native.NativeManifest) {
    const parts = made.parts;
    this.format = parts.format;
    this.baseUrl = parts.baseUrl;
    this.since = parts.since;
    this.until = parts.until;
    this.completeUntil = parts.completeUntil;
    this.phiInvolved = parts.phiInvolved ?? null;
    this.rows = parts.rows;
    this.bytes = parts.bytes;
    this.leaves = parts.leaves.map((leaf) => ({ ...leaf, firstId: leaf.firstId ?? null, lastId: leaf.lastId ?? null }));
    this.#native = made;
  }

  /** @internal */
  static made(made: native.NativeManifest): Manifest {
    return new Manifest(made);
  }

  /**
   * Reads the manifest of an exported file. Throws `file_unusable` if there is none,
   * `file_mismatch` if the file found is not a manifest.
   */
  static async read(exported: string): Promise<Manifest> {
    const file = text('exported', exported);
    return new Manifest(await call(undefined, () => native.NativeManifest.read(file)));
  }

  /**
   * Checks that the leaves tile the window, and that the file holds exactly their rows: all that
   * the system had up to `completeUntil`. Throws `file_unusable`, `file_mismatch`.
   */
  async verify(exported: string): Promise<void> {
    const file = text('exported', exported);
    await call(undefined, () => this.#native.verify(file));
  }
}
