/** The client of CuraeAI's platform API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, numberOption, text, textOption, texts, textsOption } from '../options.js';
import { Items, pageOf, walk } from '../paging.js';
import { SigningSecret } from '../secret.js';
import type { KnownEventType } from './event.js';

/** The options of a client. */
export interface CuraeClientOptions extends ClientOptions {
  /** `cae_live_…` of production, `cae_test_…` of the sandbox. */
  apiKey: string;
}

/** A type of events, known to this version or not. */
export type EventType = KnownEventType | (string & {});

/** An endpoint to be registered. */
export interface NewEndpoint {
  /** A public `https` URL on port 443. */
  url: string;
  /** The types of the events that it receives. */
  eventTypes: readonly EventType[];
  /** A key of your own, so that the registration is one even if this program runs again. */
  idempotencyKey?: string | undefined;
}

/** What is to be changed about an endpoint; the rest stays. */
export interface EndpointChange {
  /** Where deliveries go from then on. */
  url?: string | undefined;
  /** The types that it receives from then on. */
  eventTypes?: readonly EventType[] | undefined;
  /** `ACTIVE` is the one that is documented. */
  status?: string | undefined;
  /** A key of your own, so that the change is one even if this program runs again. */
  idempotencyKey?: string | undefined;
}

/** A registered endpoint. All but its id may be absent from an answer. */
export interface Endpoint {
  /** Its id. */
  id: string;
  /** Where deliveries go. */
  url: string | null;
  /** The types it receives. */
  eventTypes: string[];
  /** `ACTIVE`, or what else there is. */
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
  /** Raised by each change. */
  version: number | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** An endpoint, and which version of it this is. */
export interface Versioned {
  /** The endpoint. */
  endpoint: Endpoint;
  /** Which version of it this is, for `update`, `delete` and `getIfChanged`. */
  etag: string | null;
}

/** What registering gives: the secret is never shown again. */
export interface Registration extends Versioned {
  /**
   * What its deliveries are signed with, ready for a `Verifier`. Store it at once:
   * `secret.exposeSecret()`.
   */
  secret: SigningSecret;
}

/**
 * The client of CuraeAI's platform API: of production for a key that starts with `cae_live_`, of
 * the sandbox for one with `cae_test_`. A key of one with the URL of the other is
 * `wrong_environment`.
 *
 * Every call may be repeated, and is retried: mutations carry an `Idempotency-Key`. Every call
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
      guard(() => native.NativeCurae.create(textOption('apiKey', apiKey) ?? '', clientParts(rest))),
    );
    this.webhooks = new Webhooks(this.#native);
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
   * Registers an endpoint for events of these types. Store the secret before anything else: it
   * is shown once.
   *
   * With an `idempotencyKey` of your own the registration is one even if the program runs
   * again: for 24 hours the system answers the same key as it did first, the secret included.
   * Throws `conflict`; `invalid_option` before anything is sent.
   */
  async create(endpoint: NewEndpoint, options?: CallOptions): Promise<Registration> {
    const { url, eventTypes, idempotencyKey } = checkOptions(endpoint, ['url', 'eventTypes', 'idempotencyKey']);
    const where = text('url', url);
    const types = texts('eventTypes', eventTypes);
    const key = textOption('idempotencyKey', idempotencyKey);
    const made = await call(signalOf(options), (cancel) => this.#native.createWebhook(where, types, key, cancel));
    return { ...versioned(made), secret: new SigningSecret(made.secret) };
  }

  /** The endpoints, one by one, or page by page. `limit` is 1 to 100. */
  list(query?: { limit?: number }, options?: CallOptions): Items<Endpoint> {
    const limit = numberOption('limit', checkOptions(query, ['limit']).limit);
    const signal = signalOf(options);
    const open = () => unwrap(guard(() => this.#native.listWebhooks(limit)));
    open();
    return Items.of(() => walk(open, (page: native.EndpointPageParts) => pageOf(page, read), signal));
  }

  /** One endpoint. Throws `not_found`. */
  async get(id: string, options?: CallOptions): Promise<Versioned> {
    const wanted = text('id', id);
    return versioned(await call(signalOf(options), (cancel) => this.#native.getWebhook(wanted, cancel)));
  }

  /** One endpoint, if it is another version than this; null if it still is. */
  async getIfChanged(id: string, etag: string, options?: CallOptions): Promise<Versioned | null> {
    const [wanted, tag] = [text('id', id), text('etag', etag)];
    const found = await call(signalOf(options), (cancel) => this.#native.getWebhookIfChanged(wanted, tag, cancel));
    return found ? versioned(found) : null;
  }

  /**
   * Changes an endpoint, if it is still the version of this `etag`; `*` is any. What is not
   * given stays. Throws `conflict` where it was changed meanwhile.
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

  /** Removes an endpoint, if it is still the version of this `etag`; `*` is any. Throws `conflict`. */
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
