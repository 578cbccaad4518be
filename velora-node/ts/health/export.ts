/** Exports that are proven complete. */

import type { ProgressParts } from '../../native/index.js';
import type { CallOptions } from '../calls.js';
import { instant } from '../client.js';
import { Items, type Steps } from '../paging.js';
import type { AuditEvent } from './audit-event.js';
import type { Page } from './page.js';

/** Which events to export, and how. */
export interface ExportQuery {
  /** The start of the window: a `Date`, or a string such as `2026-05-01T00:00:00Z`. */
  since: Date | string;
  /** The end of the window, exclusive. */
  until: Date | string;
  /** Only events that do, or do not, involve protected health information. */
  phiInvolved?: boolean | undefined;
  /** How many calls run at the same time, each holding about 5 MB. 4 by default. */
  concurrency?: number | undefined;
}

/** How an export is carried out. */
export interface ExportOptions extends CallOptions {
  /** Called each time rows are returned. If it throws, the call ends and throws the same error. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** The progress of an export. */
export interface Progress {
  /** The start of the window. */
  since: Date;
  /** The end of the window, exclusive. */
  until: Date;
  /** All rows before this instant have been returned. */
  doneUntil: Date;
  /** How many rows have been returned. */
  rows: number;
  /** How many parts of the window have been read completely. */
  leaves: number;
  /** How many API calls were made; a retry is part of its call. */
  calls: number;
}

/** The result of a single export call. */
export interface ExportedOnce {
  /** Whether the cap of 10,000 rows truncated them; `unknown` if there are fewer and the system does not say. */
  truncation: 'yes' | 'no' | 'unknown';
  /** The rows, in the system's order. */
  events: Page;
}

/** The rows of an export, oldest first: one by one, in chunks, or as a stream of NDJSON. */
export class Export extends Items<AuditEvent, Page> {
  /** @internal */
  static made(walk: () => Steps<Page>): Export {
    return new Export(walk);
  }

  /** The rows as a web stream of NDJSON: each in the system's own text, on one line. */
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
          controller.enqueue(encoder.encode(`${value.lines.join('\n')}\n`));
        }
      },
      async cancel() {
        await chunks.return();
      },
    }, queue);
  }
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
