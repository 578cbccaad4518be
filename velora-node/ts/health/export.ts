/** Exports that are proven whole. */

import type { ProgressParts } from '../../native/index.js';
import type { CallOptions } from '../calls.js';
import { instant } from '../client.js';
import { Items, type Steps } from '../paging.js';
import type { AuditEvent } from './audit-event.js';
import type { Page } from './page.js';

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
  events: Page;
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
