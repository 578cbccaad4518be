/** Exports that are proven whole. */

import { readManifest, type ManifestParts, type ProgressParts } from '../../native/index.js';
import { call, type CallOptions } from '../calls.js';
import { instant } from '../client.js';
import { FileError, learnKind } from '../errors.js';
import { text } from '../options.js';
import { Items, type Steps } from '../paging.js';
import type { AuditEvent } from './audit-event.js';
import type { Page } from './page.js';

learnKind('file', FileError);

/** Which events to export, and how. */
export interface ExportQuery {
  /** The first instant: a `Date`, or a text such as `2026-05-01T00:00:00Z`. */
  since: Date | string;
  /** The first instant after it. */
  until: Date | string;
  /** Only events that do, or do not, involve protected health information. */
  phiInvolved?: boolean | undefined;
  /** How many calls run beside each other, each holding about 5 MB. 4 by default. */
  concurrency?: number | undefined;
}

/** How an export is carried out. */
export interface ExportOptions extends CallOptions {
  /** Is told each time rows are given. What it throws ends the call, which then throws it. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How far an export has come. */
export interface Progress {
  /** The start of what is exported. */
  since: Date;
  /** Its end. */
  until: Date;
  /** Everything before this instant has been given. */
  doneUntil: Date;
  /** Rows given. */
  rows: number;
  /** Windows that were read whole. */
  leaves: number;
  /** Calls that were made; a retry is part of its call. */
  calls: number;
}

/** What one call of the export gave. */
export interface ExportedOnce {
  /** Whether the system's cap cut it; `unknown` where nothing is said, below the cap. */
  truncation: 'yes' | 'no' | 'unknown';
  /** The rows, in the system's order. */
  page: Page;
}

/** A part of an export that was read whole in one go. */
export interface LeafProof {
  /** The first instant in it. */
  since: string;
  /** The first instant after it. */
  until: string;
  /** How many rows it holds. */
  rows: number;
  /** How many bytes of the file they are, line ends included. */
  bytes: number;
  /** The id of its first row. */
  firstId: string | null;
  /** The id of its last row. */
  lastId: string | null;
  /** The SHA-256 of those bytes, in hex. */
  sha256: string;
}

/** The proof of an export: leaves that tile its window, and what each one holds. */
export interface Manifest {
  /** The form of the file that it stands in. */
  format: number;
  /** Where the rows came from. Whose they are, the key decided. */
  baseUrl: string;
  /** The start of the window. */
  since: string;
  /** The end of the window, which is not in it. */
  until: string;
  /** The filter. */
  phiInvolved: boolean | null;
  /** How many rows there are. */
  rows: number;
  /** How many bytes the file has. */
  bytes: number;
  /** The parts, in time and in the file one after the other. */
  leaves: LeafProof[];
}

/** The rows of an export, oldest first: one by one, in chunks, or as a stream of NDJSON. */
export class Export extends Items<AuditEvent, Page> {
  /** @internal */
  static made(walk: () => Steps<Page>): Export {
    return new Export(walk);
  }

  /** The rows as a web stream of NDJSON, byte for byte as the system wrote them. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const chunks = this.pages();
    const encoder = new TextEncoder();
    // The chunks are read ahead already: a queue would be given after a signal.
    const queue = { highWaterMark: 0 };
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) {
          controller.close();
        } else {
          controller.enqueue(encoder.encode(`${value.raw.join('\n')}\n`));
        }
      },
      async cancel() {
        await chunks.return();
      },
    }, queue);
  }
}

/** Reads the manifest beside an exported file. Throws `file_unusable`, `file_mismatch`. */
export async function readExportManifest(path: string): Promise<Manifest> {
  const file = text('path', path);
  return manifest(await call(undefined, () => readManifest(file, false)));
}

/**
 * Reads the manifest beside an exported file, and the file once more: its leaves tile the
 * window, and hash to what was read. Throws `file_unusable`, `file_mismatch`.
 */
export async function verifyExport(path: string): Promise<Manifest> {
  const file = text('path', path);
  return manifest(await call(undefined, () => readManifest(file, true)));
}

/** What the addon gives. */
export function manifest(parts: ManifestParts): Manifest {
  return {
    ...parts,
    phiInvolved: parts.phiInvolved ?? null,
    leaves: parts.leaves.map((leaf) => ({ ...leaf, firstId: leaf.firstId ?? null, lastId: leaf.lastId ?? null })),
  };
}

/** What the addon tells. */
export function progress(parts: ProgressParts): Progress {
  return {
    ...parts,
    since: instant(parts.since) as Date,
    until: instant(parts.until) as Date,
    doneUntil: instant(parts.doneUntil) as Date,
  };
}
