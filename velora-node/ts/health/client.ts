/** The client of Velora Health's audit API. */

import { environment, inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, telling, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { ConfigError, guard, unwrap } from '../errors.js';
import { checkOptions, flagOption, instantOption, numberOption, text, textOption } from '../options.js';
import { Items, walk } from '../paging.js';
import { AuditEvent } from './audit-event.js';
import { Export, progress, type ExportedOnce, type ExportOptions, type ExportQuery } from './export.js';
import { Page } from './page.js';
import { Webhooks } from './webhooks.js';

/** The options of a client. */
export interface HealthClientOptions extends ClientOptions {
  /** `vlk_live_…` */
  apiKey: string;
}

/** Which events to list: everything by default, newest first. */
export interface EventQuery {
  /** Only events of this action, such as `phi.read`. */
  action?: string | undefined;
  /** Only events that concern this kind of resource. */
  resourceType?: string | undefined;
  /** Only events that do, or do not, involve protected health information. */
  phiInvolved?: boolean | undefined;
  /** Only events at this instant or later. */
  since?: Date | string | undefined;
  /** Only events before this instant. */
  until?: Date | string | undefined;
  /** How many events a page has at most, 1 to 1000. */
  limit?: number | undefined;
}

/**
 * The client of the audit API.
 *
 * ```js
 * const client = health.Client.fromEnv(); // VELORA_API_KEY
 * for await (const event of client.events({ phiInvolved: true })) {
 *   console.log(event.timestamp, event.action);
 * }
 * ```
 *
 * Reads, and all else that may be repeated, are retried. Every call may throw an
 * `ApiError`: `unauthorized`, `forbidden`, `not_found`, `conflict`, `invalid_request`, `rate_limited`,
 * `server_error`, `connection`, `timeout`, `malformed_response`, `response_too_large`,
 * `unexpected_redirect`.
 *
 * Source: Velora Health, *Code samples*, *Audit events*, *Webhooks*.
 */
export class Client {
  readonly #native: native.NativeHealth;
  /** The endpoints that events are delivered to. */
  readonly webhooks: Webhooks;

  /** Throws `invalid_api_key`, `invalid_base_url`, `invalid_option`. */
  constructor(options: HealthClientOptions) {
    this.#native = create(options);
    this.webhooks = new Webhooks(this.#native);
  }

  /**
   * A client of what the environment names: `VELORA_API_KEY`, and `VELORA_BASE_URL` if it
   * is not the vendor's; an empty one is none. Throws `invalid_api_key`, also where it is not
   * set; `invalid_base_url`.
   */
  static fromEnv<C extends Client>(this: new (options: HealthClientOptions) => C): C {
    const { VELORA_API_KEY: apiKey, VELORA_BASE_URL: baseUrl } = environment();
    if (apiKey === undefined) {
      throw new ConfigError('invalid_api_key', 'VELORA_API_KEY is not set');
    }
    return new this({ apiKey, baseUrl: baseUrl || undefined });
  }

  /**
   * Asks for one event, to see that key, scope and URL fit together. Throws `unauthorized` (the
   * key) and `forbidden` (it lacks `audit:read`).
   */
  async probe(options?: CallOptions): Promise<void> {
    await call(signalOf(options), (cancel) => this.#native.probe(cancel));
  }

  /**
   * Lists events, newest first. Needs the scope `audit:read`.
   *
   * The pages are chained by cursors that encode a timestamp: where very many events share one,
   * the system may skip some at the edge of a page. What must be complete is better read with
   * `export`, which proves it. When back-filling set `until` too, so that new events do not
   * shift the pages. Throws `invalid_option`, `invalid_window`; the loop throws `cursor_loop`.
   */
  events(query?: EventQuery, options?: CallOptions): Items<AuditEvent, Page> {
    const signal = signalOf(options);
    const parts = eventQuery(query);
    const open = () => unwrap(guard(() => this.#native.events(parts)));
    let first: native.NativeEventPages | undefined = open();
    return Items.of(() => {
      const stream = first;
      first = undefined;
      return walk<native.PageParts, Page>(() => stream ?? open(), (page) => Page.made(page.events, page.nextCursor), signal);
    });
  }

  /** One event by its id. Throws `not_found`. */
  async event(id: string, options?: CallOptions): Promise<AuditEvent> {
    const wanted = text('id', id);
    return AuditEvent.fromJson(await call(signalOf(options), (cancel) => this.#native.event(wanted, cancel)));
  }

  /**
   * Exports a window whole, through the cap of 10,000 rows a call: it is split until every
   * part is proven to have fitted. Rows come once each, oldest first; memory does not grow with
   * their number. Needs the scope `audit:export`. Throws `invalid_option`, `invalid_window`; the
   * loop throws `incomplete_window` where the rows given so far are not all there are, or that
   * cannot be proven.
   */
  export(query: ExportQuery, options?: ExportOptions): Export {
    const { signal, tell } = exportOptions(options);
    const parts = exportQuery(query);
    const open = () => unwrap(guard(() => this.#native.export(parts, tell)));
    // Whoever hears of the progress hears of what was given, and of no more.
    const ahead = tell === undefined;
    let first: native.NativeExport | undefined = open();
    return Export.made(() => {
      const stream = first;
      first = undefined;
      return walk<native.EventsText, Page>(() => stream ?? open(), (rows) => Page.made(rows), signal, undefined, ahead);
    });
  }

  /**
   * One call of the export, and whether the system's cap cut it. Throws `invalid_option`, also
   * for a `concurrency`; `invalid_window`.
   */
  async exportOnce(query: Omit<ExportQuery, 'concurrency'>, options?: CallOptions): Promise<ExportedOnce> {
    const parts = exportQuery(checkOptions(query, ['since', 'until', 'phiInvolved']));
    const once = await call(signalOf(options), (cancel) => this.#native.exportOnce(parts, cancel));
    return { truncation: once.truncation as ExportedOnce['truncation'], events: Page.made(once.events) };
  }

  /** Where the API is. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit as the last answer that spoke of it left it. */
  get rateLimit(): RateLimit {
    return rateLimit(this.#native.rateLimit());
  }

  /** @internal The addon's client. */
  static native(client: Client): native.NativeHealth {
    return client.#native;
  }

  [inspect.custom](): string {
    return 'health.Client';
  }
}

function create(options: HealthClientOptions): native.NativeHealth {
  const { apiKey, ...rest } = checkOptions(options, ['apiKey', ...CLIENT_OPTIONS]);
  return unwrap(guard(() => native.NativeHealth.create(textOption('apiKey', apiKey) ?? '', clientParts(rest))));
}

function eventQuery(query: EventQuery | undefined): native.EventQueryParts {
  const known = ['action', 'resourceType', 'phiInvolved', 'since', 'until', 'limit'] as const;
  const { action, resourceType, phiInvolved, since, until, limit } = checkOptions(query, known);
  return {
    action: textOption('action', action),
    resourceType: textOption('resourceType', resourceType),
    phiInvolved: flagOption('phiInvolved', phiInvolved),
    since: instantOption('since', since),
    until: instantOption('until', until),
    limit: numberOption('limit', limit),
  } as native.EventQueryParts;
}

/** What the addon takes. */
export function exportQuery(query: ExportQuery): native.ExportQueryParts {
  const known = ['since', 'until', 'phiInvolved', 'concurrency'] as const;
  const { since, until, phiInvolved, concurrency } = checkOptions(query, known);
  return {
    since: text('since', instantOption('since', since)),
    until: text('until', instantOption('until', until)),
    phiInvolved: flagOption('phiInvolved', phiInvolved),
    concurrency: numberOption('concurrency', concurrency),
  } as native.ExportQueryParts;
}

/** How an export is ended early, and who is told of it. */
export function exportOptions(options: ExportOptions | undefined) {
  const { signal, onProgress } = checkOptions(options, ['signal', 'onProgress']);
  return telling(signal, onProgress, progress);
}
