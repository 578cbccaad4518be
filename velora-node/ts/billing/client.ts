/** The client of Velora Billing's integration API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, telling, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, loggedAs, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, numberOption, text, textOption } from '../options.js';
import { Items, pageOf, walk, type Steps } from '../paging.js';
import { loggedDelivery, refireReport, retried, type LoggedDelivery, type Progress, type RefireReport, type Retried } from './deliveries.js';

/** The options of a client. */
export interface BillingClientOptions extends ClientOptions {
  /** `vb_live_…` */
  apiKey: string;
}

/** What is open, over all products. */
export interface ReconSummary {
  /** Discrepancies that are not resolved. */
  pendingTickets: number;
  /** Findings of severity `HIGH` or `CRITICAL`. */
  urgentTickets: number;
  /** Disputes that are open. */
  openDisputes: number;
  /** When the latest invoice came. */
  lastInvoiceAt: Date | null;
  /** When the latest run was. */
  lastReconAt: Date | null;
  /** When all this was so. */
  asOf: Date | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/**
 * A run of the reconciliation. What the system answers is not documented. Logging it shows its
 * id alone.
 */
export interface ReconRun {
  /** The run's id, where the answer has one: ready for `auditCsv`. */
  runId: string | null;
  /** The whole answer; null where it was empty. */
  response: unknown;
}

/** Which deliveries to list. */
export interface DeliveryQuery {
  /** Only those that ended so. */
  status?: 'ok' | 'failed' | undefined;
  /** How many deliveries a page has at most, 1 to 200. */
  limit?: number | undefined;
}

/** How a sweep is carried out. */
export interface RefireOptions extends CallOptions {
  /** 30 by default, the system's own limit. */
  writesPerMinute?: number | undefined;
  /** Is told how far it has come. What it throws ends the call, which then throws it. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** A row of CSV, its fields under the names of the header. */
export type CsvRow = Record<string, string>;

/**
 * The client of Velora Billing's integration API.
 *
 * The system allows each key 120 reads and 30 writes a minute. Reads, and `runRecon`, are
 * retried. Every call may throw an `ApiError`: `unauthorized`, `forbidden`, `not_found`, `conflict`,
 * `invalid_request`, `rate_limited`, `server_error`, `connection`, `timeout`,
 * `malformed_response`, `response_too_large`, `unexpected_redirect`.
 *
 * Source: Velora Billing, *API + Webhooks*.
 */
export class Client {
  readonly #native: native.NativeBilling;

  /** Throws `invalid_api_key`, `invalid_base_url`, `invalid_option`. */
  constructor(options: BillingClientOptions) {
    const { apiKey, ...rest } = checkOptions(options, ['apiKey', ...CLIENT_OPTIONS]);
    this.#native = unwrap(
      guard(() => native.NativeBilling.create(textOption('apiKey', apiKey) ?? '', clientParts(rest))),
    );
  }

  /** What is open, and when the latest invoice and run were. */
  async reconSummary(options?: CallOptions): Promise<ReconSummary> {
    const summary = await call(signalOf(options), (cancel) => this.#native.reconSummary(cancel));
    return {
      pendingTickets: summary.pendingTickets,
      urgentTickets: summary.urgentTickets,
      openDisputes: summary.openDisputes,
      lastInvoiceAt: instant(summary.lastInvoiceAt),
      lastReconAt: instant(summary.lastReconAt),
      asOf: instant(summary.asOf),
      extra: extra(summary.extra),
    };
  }

  /**
   * Runs the reconciliation of an uploaded invoice. It is idempotent on the pair: the same
   * `runKey` gives the run that it gave before. Throws `not_found`, `conflict`.
   */
  async runRecon(invoiceId: string, runKey: string, options?: CallOptions): Promise<ReconRun> {
    const [invoice, key] = [text('invoiceId', invoiceId), text('runKey', runKey)];
    const run = await call(signalOf(options), (cancel) => this.#native.runRecon(invoice, key, cancel));
    const runId = run.runId ?? null;
    return loggedAs(`ReconRun(${runId})`, { runId, response: run.response ? (JSON.parse(run.response) as unknown) : null });
  }

  /**
   * The discrepancies of a run, read as they arrive. Their columns are not documented; the
   * header names them, and of several with one name the first counts. The loop throws
   * `not_found`.
   */
  auditCsv(runId: string, options?: CallOptions): Steps<CsvRow> {
    const run = text('runId', runId);
    return walk(() => guard(() => this.#native.auditCsv(run)), csvRow, signalOf(options));
  }

  /**
   * Journal entries for an accounting system. Where they are is not documented: give the path
   * that you were told, such as `/api/audits/run_1/gl`.
   */
  journalCsv(path: string, format: 'qbo' | 'netsuite', options?: CallOptions): Steps<CsvRow> {
    const [where, how] = [text('path', path), text('format', format)];
    const rows = unwrap(guard(() => this.#native.journalCsv(where, how)));
    return walk(() => rows, csvRow, signalOf(options));
  }

  /** The delivery log of an endpoint, newest first. */
  deliveries(endpointId: string, query?: DeliveryQuery, options?: CallOptions): Items<LoggedDelivery> {
    const { status, limit } = checkOptions(query, ['status', 'limit']);
    const endpoint = text('endpointId', endpointId);
    const [wanted, most] = [textOption('status', status), numberOption('limit', limit)];
    const signal = signalOf(options);
    const open = () => unwrap(guard(() => this.#native.deliveries(endpoint, wanted, most)));
    open();
    return Items.of(() => walk(open, (page: native.DeliveryPageParts) => pageOf(page, loggedDelivery), signal));
  }

  /**
   * Fires a delivery again, with the exact payload and signature. It is sent once, never again
   * by itself. Throws `conflict` where the payload was not retained, or the delivery was taken
   * already; `not_found`.
   */
  async retryDelivery(id: string, options?: CallOptions): Promise<Retried> {
    const wanted = text('id', id);
    return retried(await call(signalOf(options), (cancel) => this.#native.retryDelivery(wanted, cancel)));
  }

  /**
   * Fires every event again that failed to arrive at the endpoint, oldest first, each once,
   * within the system's limit.
   */
  async refireFailed(endpointId: string, options?: RefireOptions): Promise<RefireReport> {
    const { signal, writesPerMinute, onProgress } = checkOptions(options, ['signal', 'writesPerMinute', 'onProgress']);
    const told = telling(signal, onProgress, (progress: Progress) => progress);
    const endpoint = text('endpointId', endpointId);
    const writes = numberOption('writesPerMinute', writesPerMinute);
    const report = await call(told.signal, (cancel) => this.#native.refireFailed(endpoint, writes, told.tell, cancel));
    told.check();
    return refireReport(report);
  }

  /** Where the API is. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit as the last answer that spoke of it left it. */
  get rateLimit(): RateLimit {
    return rateLimit(this.#native.rateLimit());
  }

  [inspect.custom](): string {
    return 'billing.Client';
  }
}

function csvRow(fields: [string, string][]): CsvRow {
  const row: CsvRow = Object.create(null) as CsvRow;
  for (const [name, field] of fields) {
    // Of several columns with one name, the first.
    row[name] ??= field;
  }
  return row;
}
