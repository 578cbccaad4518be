/** The client of CuraeAI's platform API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, keyOption, numberOption, text, textOption, texts, textsOption } from '../options.js';
import { Items, pageOf, walk } from '../paging.js';
import { SigningSecret } from '../secret.js';
import type { KnownEventType } from './event.js';

/** The options of a client. */
export interface CuraeClientOptions extends ClientOptions {
  /** `cae_live_…` for production, `cae_test_…` for the sandbox. */
  apiKey: string;
}

/** An event type, known to this version or not. */
export type EventType = KnownEventType | (string & {});

/** An endpoint to register. */
export interface NewEndpoint {
  /** A public `https` URL on port 443. */
  url: string;
  /** The event types that it receives. */
  eventTypes: readonly EventType[];
  /** A key of your own, so that running the program again does not register a second endpoint. */
  idempotencyKey?: string | undefined;
}

/** The changes to an endpoint; absent members stay as they are. */
export interface EndpointChange {
  /** The new URL that deliveries are sent to. */
  url?: string | undefined;
  /** The new event types that it receives. */
  eventTypes?: readonly EventType[] | undefined;
  /** The new status. Only `ACTIVE` is documented. */
  status?: string | undefined;
  /** A key of your own, so that running the program again does not repeat the change. */
  idempotencyKey?: string | undefined;
}

/** A registered endpoint. A response may lack any member except the id. */
export interface Endpoint {
  /** Its id. */
  id: string;
  /** The URL that deliveries are sent to. */
  url: string | null;
  /** The event types that it receives. */
  eventTypes: string[];
  /** `ACTIVE`, or another status. */
  status: string | null;
  /** Failed deliveries in a row. */
  consecutiveFailures: number | null;
  /** When a delivery was last sent. */
  lastDeliveryAttemptAt: Date | null;
  /** When a delivery was last accepted. */
  lastSuccessfulDeliveryAt: Date | null;
  /** When it was registered. */
  createdAt: Date | null;
  /** When it was last changed. */
  updatedAt: Date | null;
  /** The version number, which grows with each change. */
  version: number | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** Which endpoints to list: all by default. */
export interface EndpointQuery {
  /** The most endpoints per page, 1 to 100. 100 by default. */
  limit?: number | undefined;
  /** Starts where a page ended: at its `nextCursor`. */
  cursor?: string | undefined;
}

/** An endpoint with its ETag. */
export interface Versioned {
  /** The endpoint. */
  endpoint: Endpoint;
  /** The ETag: which version of the endpoint this is, for `update`, `delete` and `getIfChanged`. */
  etag: string | null;
}

/** The result of registering an endpoint. Its secret is never shown again. */
export interface Registration extends Versioned {
  /**
   * The secret that its deliveries are signed with, ready for a `Verifier`. Store it at once:
   * `secret.exposeSecret()`.
   */
  secret: SigningSecret;
}

/**
 * The client of CuraeAI's platform API. It uses production if the key starts with `cae_live_`, and
 * the sandbox if it starts with `cae_test_`. A key of one with the URL of the other is
 * `wrong_environment`.
 *
 * Every call is safe to repeat, and is retried: mutations carry an `Idempotency-Key`. Every call
 * may throw an `ApiError`: `unauthorized`, `forbidden`, `not_found`, `conflict`, `invalid_request`,
 * `rate_limited`, `server_error`, `connection`, `timeout`, `malformed_response`,
 * `response_too_large`, `unexpected_redirect`.
 * The system's own code, such as `SCOPE_INSUFFICIENT`, is in `vendorCode`.
 *
 * Source: CuraeAI, *API conventions*, *Authentication*, *Platform webhooks*.
 */
export class Client {
  readonly #native: native.NativeCurae;
  /** The endpoints that events are delivered to. */
  readonly webhooks: Webhooks;

  /** Throws `wrong_environment`, `invalid_api_key`, `invalid_base_url`, `invalid_option`. */
  constructor(options: CuraeClientOptions) {
    const { apiKey, ...rest } = checkOptions(options, ['apiKey', ...CLIENT_OPTIONS]);
    this.#native = unwrap(
      guard(() => native.NativeCurae.create(keyOption('apiKey', apiKey) ?? '', clientParts(rest))),
    );
    this.webhooks = new Webhooks(this.#native);
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
    return 'curae.Client';
  }
}

/** The endpoints of an account. */
export class Webhooks {
  readonly #native: native.NativeCurae;

  /** @internal */
  constructor(made: native.NativeCurae) {
    this.#native = made;
  }

  /**
   * Registers an endpoint for events of these types. Store the secret before you do anything else:
   * it is shown only once.
   *
   * If you pass an `idempotencyKey` of your own, running the program again does not register a second
   * endpoint: for 24 hours the system repeats its first response to the same key, including the
   * secret. Throws `conflict`; `invalid_option` before anything is sent.
   */
  async create(endpoint: NewEndpoint, options?: CallOptions): Promise<Registration> {
    const { url, eventTypes, idempotencyKey } = checkOptions(endpoint, ['url', 'eventTypes', 'idempotencyKey']);
    const where = text('url', url);
    const types = texts('eventTypes', eventTypes);
    const key = textOption('idempotencyKey', idempotencyKey);
    const made = await call(signalOf(options), (cancel) => this.#native.createWebhook(where, types, key, cancel));
    return { ...versioned(made), secret: new SigningSecret(made.secret) };
  }

  /** The endpoints, one by one, or page by page. */
  list(query?: EndpointQuery, options?: CallOptions): Items<Endpoint> {
    const { limit, cursor } = checkOptions(query, ['limit', 'cursor']);
    const [most, start] = [numberOption('limit', limit), textOption('cursor', cursor)];
    const signal = signalOf(options);
    const open = () => unwrap(guard(() => this.#native.listWebhooks(most, start)));
    open();
    return Items.of(() => walk(open, (page: native.EndpointPageParts) => pageOf(page, read), signal));
  }

  /** One endpoint. Throws `not_found`. */
  async get(id: string, options?: CallOptions): Promise<Versioned> {
    const wanted = text('id', id);
    return versioned(await call(signalOf(options), (cancel) => this.#native.getWebhook(wanted, cancel)));
  }

  /** One endpoint, if its version differs from this `etag`; else null. */
  async getIfChanged(id: string, etag: string, options?: CallOptions): Promise<Versioned | null> {
    const [wanted, tag] = [text('id', id), text('etag', etag)];
    const found = await call(signalOf(options), (cancel) => this.#native.getWebhookIfChanged(wanted, tag, cancel));
    return found ? versioned(found) : null;
  }

  /**
   * Changes an endpoint if its version is still this `etag`; `*` matches any version. Absent members
   * of `change` stay as they are. Throws `conflict` if the endpoint was changed meanwhile.
   */
  async update(id: string, etag: string, change: EndpointChange, options?: CallOptions): Promise<Versioned> {
    const known = ['url', 'eventTypes', 'status', 'idempotencyKey'] as const;
    const { url, eventTypes, status, idempotencyKey } = checkOptions(change, known);
    const parts = {
      url: textOption('url', url),
      eventTypes: textsOption('eventTypes', eventTypes),
      status: textOption('status', status),
      idempotencyKey: textOption('idempotencyKey', idempotencyKey),
    } as native.CuraeChange;
    const [wanted, tag] = [text('id', id), text('etag', etag)];
    return versioned(
      await call(signalOf(options), (cancel) => this.#native.updateWebhook(wanted, tag, parts, cancel)),
    );
  }

  /** Removes an endpoint if its version is still this `etag`; `*` matches any version. Throws `conflict`. */
  async delete(id: string, etag: string, options?: CallOptions): Promise<void> {
    const [wanted, tag] = [text('id', id), text('etag', etag)];
    await call(signalOf(options), (cancel) => this.#native.deleteWebhook(wanted, tag, cancel));
  }
}

function versioned(parts: native.CuraeVersioned): Versioned {
  return { endpoint: read(parts.endpoint), etag: parts.etag ?? null };
}

function read(parts: native.CuraeEndpoint): Endpoint {
  return {
    id: parts.id,
    url: parts.url ?? null,
    eventTypes: parts.eventTypes,
    status: parts.status ?? null,
    consecutiveFailures: parts.consecutiveFailures ?? null,
    lastDeliveryAttemptAt: instant(parts.lastDeliveryAttemptAt),
    lastSuccessfulDeliveryAt: instant(parts.lastSuccessfulDeliveryAt),
    createdAt: instant(parts.createdAt),
    updatedAt: instant(parts.updatedAt),
    version: parts.version ?? null,
    extra: extra(parts.extra),
  };
}
