/** The client of Velora Billing's integration API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, telling, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, loggedAs, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, numberOption, text, textOption } from '../options.js';
import { Items, walk, type Steps } from '../paging.js';
import { loggedDelivery, refireReport, retried, type LoggedDelivery, type RefireProgress, type RefireReport, type Retried } from './deliveries.js';

/** The options of a client. */
export interface BillingClientOptions extends ClientOptions {
  /** `vb_live_…` */
  apiKey: string;
}

/** What is unresolved. */
export interface ReconSummary {
  pendingTickets: number;
  urgentTickets: number;
  openDisputes: number;
  lastInvoiceAt: Date | null;
  lastReconAt: Date | null;
  asOf: Date | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** A run of the reconciliation. */
export interface ReconRun {
  /** Its id, where the answer has one. */
  runId: string | null;
  /** The whole answer, whose form is not documented; null where it was empty. */
  response: unknown;
}

/** Which deliveries to list. */
export interface DeliveryQuery {
  status?: 'ok' | 'failed' | undefined;
  /** How many deliveries a page has at most, 1 to 200. */
  limit?: number | undefined;
}

/** How a sweep is carried out. */
export interface RefireOptions extends CallOptions {
  /** 30 by default, the system's own limit. */
  writesPerMinute?: number | undefined;
  onProgress?: ((progress: RefireProgress) => void) | undefined;
}

/** A row of CSV, its fields under the names of the header. */
export type CsvRow = Record<string, string>;

/** The client of the integration API. */
export class Client {
  readonly #native: native.NativeBilling;

  /** Throws `invalid_api_key`, `invalid_base_url`, `invalid_option`. */
  constructor(options: BillingClientOptions) {
    const { apiKey, ...rest } = checkOptions(options, ['apiKey', ...CLIENT_OPTIONS]);
    this.#native = unwrap(
      guard(() => native.NativeBilling.create(textOption('apiKey', apiKey) ?? '', clientParts(rest))),
    );
  }

  /** What is unresolved, and when something last happened. */
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

  /** Runs the reconciliation; the same pair again gives the first run's id. */
  async runRecon(invoiceId: string, runKey: string, options?: CallOptions): Promise<ReconRun> {
    const [invoice, key] = [text('invoiceId', invoiceId), text('runKey', runKey)];
    const run = await call(signalOf(options), (cancel) => this.#native.runRecon(invoice, key, cancel));
    const runId = run.runId ?? null;
    return loggedAs(`ReconRun(${runId})`, { runId, response: run.response ? (JSON.parse(run.response) as unknown) : null });
  }

  /** The discrepancies of a run, read as they arrive. The loop throws `not_found`. */
  auditCsv(runId: string, options?: CallOptions): Steps<CsvRow> {
    const run = text('runId', runId);
    return walk(() => guard(() => this.#native.auditCsv(run)), csvRow, signalOf(options));
  }

  /** Journal entries. Where they are is not documented: give the path that you were told. */
  journalCsv(path: string, format: 'qbo' | 'netsuite', options?: CallOptions): Steps<CsvRow> {
    const [where, how] = [text('path', path), text('format', format)];
    const rows = unwrap(guard(() => this.#native.journalCsv(where, how)));
    return walk(() => rows, csvRow, signalOf(options));
  }

  /** The delivery log of an endpoint. */
  deliveries(endpointId: string, query?: DeliveryQuery, options?: CallOptions): Items<LoggedDelivery> {
    const { status, limit } = checkOptions(query, ['status', 'limit']);
    const endpoint = text('endpointId', endpointId);
    const [wanted, most] = [textOption('status', status), numberOption('limit', limit)];
    const signal = signalOf(options);
    const open = () => unwrap(guard(() => this.#native.deliveries(endpoint, wanted, most)));
    open();
    return Items.of(() =>
      walk<native.LoggedDeliveryParts[], LoggedDelivery[]>(open, (page) => page.map(loggedDelivery), signal),
    );
  }

  /** Fires a delivery again. Throws `conflict` where its payload was not retained. */
  async retryDelivery(id: string, options?: CallOptions): Promise<Retried> {
    const wanted = text('id', id);
    return retried(await call(signalOf(options), (cancel) => this.#native.retryDelivery(wanted, cancel)));
  }

  /** Sweeps the delivery log: what failed for good is fired again, within the limit. */
  async refireFailed(endpointId: string, options?: RefireOptions): Promise<RefireReport> {
    const { signal, writesPerMinute, onProgress } = checkOptions(options, ['signal', 'writesPerMinute', 'onProgress']);
    const told = telling(signal, onProgress, (progress: RefireProgress) => progress);
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
