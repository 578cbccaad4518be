/** The client of Velora Billing's integration API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, telling, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, loggedAs, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, keyOption, numberOption, text, textOption } from '../options.js';
import { Items, pageOf, walk, type Steps } from '../paging.js';
import { loggedDelivery, refireReport, retried, type LoggedDelivery, type Progress, type RefireReport, type Retried } from './deliveries.js';

/** The options of a client. */
export interface BillingClientOptions extends ClientOptions {
  /** `vb_live_…` */
  apiKey: string;
}

/** What is unresolved, across all products. */
export interface ReconSummary {
  /** How many discrepancies are not resolved. */
  pendingTickets: number;
  /** How many findings have the severity `HIGH` or `CRITICAL`. */
  urgentTickets: number;
  /** How many disputes are open. */
  openDisputes: number;
  /** When the latest invoice arrived. */
  lastInvoiceAt: Date | null;
  /** When reconciliation last ran. */
  lastReconAt: Date | null;
  /** The time that these values are from. */
  asOf: Date | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/**
 * A reconciliation run. The form of the response is not documented. Logging the run shows only its
 * id.
 */
export interface ReconRun {
  /** The run's id, for `auditCsv`; null if the response has none. */
  runId: string | null;
  /** The whole response; null if it was empty. */
  response: unknown;
}

/** Which deliveries to list. */
export interface DeliveryQuery {
  /** Only deliveries with this status. */
  status?: 'ok' | 'failed' | undefined;
  /** The most deliveries per page, 1 to 200. 200 by default. */
  limit?: number | undefined;
  /** Starts where a page ended: at its `nextCursor`. The rest of the query must be as it was for that page. */
  cursor?: string | undefined;
}

/** The options of `refireFailed`. */
export interface RefireOptions extends CallOptions {
  /** The most deliveries to re-fire in a minute. 30 by default, the system's own limit. */
  writesPerMinute?: number | undefined;
  /** Called with the progress. If it throws, the call ends and throws the same error. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** A CSV row: its fields by the column names of the header. */
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
      guard(() => native.NativeBilling.create(keyOption('apiKey', apiKey) ?? '', clientParts(rest))),
    );
  }

  /** What is unresolved, and the times of the latest invoice and run. */
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
   * Reconciles an uploaded invoice. The call is idempotent: for the same invoice and `runKey` it
   * returns the earlier run. Throws `not_found`, `conflict`.
   */
  async runRecon(invoiceId: string, runKey: string, options?: CallOptions): Promise<ReconRun> {
    const [invoice, key] = [text('invoiceId', invoiceId), text('runKey', runKey)];
    const run = await call(signalOf(options), (cancel) => this.#native.runRecon(invoice, key, cancel));
    const runId = run.runId ?? null;
    return loggedAs(`ReconRun(${runId})`, { runId, response: run.response ? (JSON.parse(run.response) as unknown) : null });
  }

  /**
   * The discrepancies of a run, row by row as they arrive. The columns are not documented; the CSV
   * header names them. Of several columns with the same name, the first is kept. The loop throws
   * `not_found`.
   */
  auditCsv(runId: string, options?: CallOptions): Steps<CsvRow> {
    const run = text('runId', runId);
    return walk(() => guard(() => this.#native.auditCsv(run)), csvRow, signalOf(options));
  }

  /**
   * Journal entries for an accounting system. Their path is not documented: pass the one that you
   * were told, such as `/api/audits/run_1/gl`.
   */
  journalCsv(path: string, format: 'qbo' | 'netsuite', options?: CallOptions): Steps<CsvRow> {
    const [where, how] = [text('path', path), text('format', format)];
    const rows = unwrap(guard(() => this.#native.journalCsv(where, how)));
    return walk(() => rows, csvRow, signalOf(options));
  }

  /** The delivery log of an endpoint, newest first. */
  deliveries(endpointId: string, query?: DeliveryQuery, options?: CallOptions): Items<LoggedDelivery> {
    const { status, limit, cursor } = checkOptions(query, ['status', 'limit', 'cursor']);
    const endpoint = text('endpointId', endpointId);
    const [wanted, most, start] = [textOption('status', status), numberOption('limit', limit), textOption('cursor', cursor)];
    const signal = signalOf(options);
    const open = () => unwrap(guard(() => this.#native.deliveries(endpoint, wanted, most, start)));
    open();
    return Items.of(() => walk(open, (page: native.DeliveryPageParts) => pageOf(page, loggedDelivery), signal));
  }

  /**
   * Re-fires a delivery, with exactly the same payload and signature. The call is never retried.
   * Throws `conflict` if the payload was not retained, or the endpoint has already accepted the
   * delivery; `not_found`.
   */
  async retryDelivery(id: string, options?: CallOptions): Promise<Retried> {
    const wanted = text('id', id);
    return retried(await call(signalOf(options), (cancel) => this.#native.retryDelivery(wanted, cancel)));
  }

  /**
   * Re-fires every event that has not arrived at the endpoint, each once, oldest first, at up to
   * `writesPerMinute`.
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

  /** The base URL of the API. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit, according to the last response that mentioned it. */
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
    // Of several columns with the same name, the first is kept.
    row[name] ??= field;
  }
  return row;
}
