/** The client of Velora Health's audit API. */

import { environment, inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, telling, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { ConfigError, guard, unwrap } from '../errors.js';
import { checkOptions, flagOption, instantOption, keyOption, numberOption, text, textOption } from '../options.js';
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
  /** The maximum number of events per page, 1 to 1000. 1000 by default. */
  limit?: number | undefined;
  /**
   * Starts where a page ended: at its `nextCursor`. The rest of the query must be as it was for that
   * page. An event at the edge of the pages may come again, as only what one loop returned is
   * dropped from it.
   */
  cursor?: string | undefined;
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
 * Reads, and other calls that are safe to repeat, are retried. Every call may throw an
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
   * A client from the environment: `VELORA_API_KEY`, and `VELORA_BASE_URL` if the API is not at the
   * vendor's URL (an empty one is ignored). The option `baseUrl` takes precedence over it. Throws
   * `invalid_api_key`, also if it is not set; `invalid_base_url`, `invalid_option`.
   */
  static fromEnv<C extends Client>(this: new (options: HealthClientOptions) => C, options?: ClientOptions): C {
    const given = checkOptions(options, CLIENT_OPTIONS);
    const { VELORA_API_KEY: apiKey, VELORA_BASE_URL: baseUrl } = environment();
    if (apiKey === undefined) {
      throw new ConfigError('invalid_api_key', 'VELORA_API_KEY is not set');
    }
    return new this({ ...given, apiKey, baseUrl: given.baseUrl ?? (baseUrl || undefined) });
  }

  /**
   * Requests one event, to check that the key, its scope and the URL are right. Throws `unauthorized`
   * if the key is unknown, `forbidden` if it lacks `audit:read`.
   */
  async probe(options?: CallOptions): Promise<void> {
    await call(signalOf(options), (cancel) => this.#native.probe(cancel));
  }

  /**
   * Lists events, newest first. Needs the scope `audit:read`.
   *
   * The pages are chained by cursors that encode a timestamp. If very many events share one
   * timestamp, the system may skip some at the edge of a page. For anything that must be complete,
   * use `export`, which proves it. When you back-fill, set `until` too, so that new events do not
   * shift the pages. Throws `invalid_option`, `invalid_window`; the loop may throw `cursor_loop`.
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
   * Exports a window completely, despite the cap of 10,000 rows a call: the window is split until
   * every part is proven to have fitted into one response. Each row comes once, oldest first; memory
   * use does not grow with the number of rows. Needs the scope `audit:export`, and `audit:read` if a
   * single instant holds more events than a call can return.
   *
   * Throws `invalid_option`, `invalid_window`; the loop throws `incomplete_window` if the rows so far
   * are not complete, or cannot be proven to be.
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
   * Makes a single export call, and tells whether the system's cap truncated it. Needs the scope
   * `audit:export`. Throws `invalid_option`, also for a `concurrency`; `invalid_window`.
   */
  async exportOnce(query: Omit<ExportQuery, 'concurrency'>, options?: CallOptions): Promise<ExportedOnce> {
    const parts = exportQuery(checkOptions(query, ['since', 'until', 'phiInvolved']));
    const once = await call(signalOf(options), (cancel) => this.#native.exportOnce(parts, cancel));
    return { truncation: once.truncation as ExportedOnce['truncation'], events: Page.made(once.events) };
  }

  /** The base URL of the API. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit, according to the last response that mentioned it. */
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
  return unwrap(guard(() => native.NativeHealth.create(keyOption('apiKey', apiKey) ?? '', clientParts(rest))));
}

function eventQuery(query: EventQuery | undefined): native.EventQueryParts {
  const known = ['action', 'resourceType', 'phiInvolved', 'since', 'until', 'limit', 'cursor'] as const;
  const { action, resourceType, phiInvolved, since, until, limit, cursor } = checkOptions(query, known);
  return {
    action: textOption('action', action),
    resourceType: textOption('resourceType', resourceType),
    phiInvolved: flagOption('phiInvolved', phiInvolved),
    since: instantOption('since', since),
    until: instantOption('until', until),
    limit: numberOption('limit', limit),
    cursor: textOption('cursor', cursor),
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
