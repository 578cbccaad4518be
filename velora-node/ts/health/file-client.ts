/** The client for hosts with a file system. */

import { call } from '../calls.js';
import { text } from '../options.js';
import { Client as AnyClient, exportOptions, exportQuery } from './client.js';
import type { ExportOptions, ExportQuery } from './export.js';
import { Manifest } from './manifest.js';

/** The client of the audit API, with exports into files. */
export class Client extends AnyClient {
  /**
   * Exports a window completely into an NDJSON file, and returns the proof. If the process is killed
   * at any point, call it again: it resumes behind the last leaf, a window of up to 10,000 rows, that
   * was on the disk. While it runs, `<path>.checkpoint` is next to the file;
   * at the end it is replaced by `<path>.manifest.json`. If the export is finished already, it
   * returns the manifest and sends no request. On Unix all three files are created with mode 0600;
   * an existing file keeps its mode.
   *
   * If the window ends in the future, the file has the events so far, the manifest says up to when
   * (`completeUntil`), and the checkpoint stays: another call replaces what had not ended yet. This
   * machine's clock decides, or that of the system, by the `Date` of its responses, if it is behind.
   * For a file that stays as it is, let the window end in the past.
   *
   * Throws what `export` and its loop throw; `file_unusable`, also if another export to the file
   * goes on for more than 5 s; `file_mismatch` if it holds something else, or if one of the
   * three files is gone that this export left.
   */
  async exportToFile(query: ExportQuery, path: string, options?: ExportOptions): Promise<Manifest> {
    const { signal, tell, check } = exportOptions(options);
    const parts = exportQuery(query);
    const file = text('path', path);
    const proof = await call(signal, (cancel) => AnyClient.native(this).exportToFile(parts, file, tell, cancel));
    check();
    return Manifest.made(proof);
  }
}
