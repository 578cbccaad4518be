/** The client where there are files. */

import { call } from '../calls.js';
import { text } from '../options.js';
import { Client as AnyClient, exportOptions, exportQuery } from './client.js';
import type { ExportOptions, ExportQuery } from './export.js';
import { Manifest } from './manifest.js';

/** The client of the audit API: what every host's has, and exports into files. */
export class Client extends AnyClient {
  /**
   * Exports a window whole into a file of NDJSON, and gives the proof. Killed at any point
   * and called again, it goes on where it was. While it runs, `<path>.checkpoint` stands beside
   * the file; in the end `<path>.manifest.json` does. On Unix its files are made with mode 0600;
   * one that is there keeps its mode.
   *
   * Throws what `export` and its loop do; `file_unusable`, also where another process is at it;
   * `file_mismatch` where the file exists and is of something else.
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
