/** The client of CuraeAI's platform API. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, signalOf, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, instant, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { guard, unwrap } from '../errors.js';
import { checkOptions, numberOption, text, textOption, textsOption } from '../options.js';
import { Items, walk } from '../paging.js';
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
  eventTypes: readonly EventType[];
  /** A key of your own, so that the registration is one even if this program runs again. */
  idempotencyKey?: string | undefined;
}

/** What is to be changed about an endpoint; the rest stays. */
export interface EndpointChange {
  url?: string | undefined;
  eventTypes?: readonly EventType[] | undefined;
  /** `ACTIVE` is the one that is documented. */
  status?: string | undefined;
  idempotencyKey?: string | undefined;
}

/** A registered endpoint. All but its id may be absent from an answer. */
export interface Endpoint {
  id: string;
  url: string | null;
  eventTypes: string[];
  status: string | null;
  consecutiveFailures: number | null;
  lastDeliveryAttemptAt: Date | null;
  lastSuccessfulDeliveryAt: Date | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  version: number | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** An endpoint, and which version of it this is. */
export interface Versioned {
  endpoint: Endpoint;
  etag: string | null;
}

/** What registering gives: the secret is never shown again. */
export interface Registration extends Versioned {
  /** Ready for a `Verifier`; `exposeSecret()` gives it, to store it. */
  secret: SigningSecret;
}

/** The client of the platform API. */
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

  /** Registers an endpoint. Store the secret before anything else. */
  async create(endpoint: NewEndpoint, options?: CallOptions): Promise<Registration> {
    const { url, eventTypes, idempotencyKey } = checkOptions(endpoint, ['url', 'eventTypes', 'idempotencyKey']);
    const where = text('url', url);
    const types = textsOption('eventTypes', eventTypes) ?? [];
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
    return Items.of(() => walk<native.CuraeEndpoint[], Endpoint[]>(open, (page) => page.map(read), signal));
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

  /** Changes an endpoint, if it is still this version; `*` is any. Throws `conflict`. */
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

  /** Removes an endpoint, if it is still this version; `*` is any. Throws `conflict`. */
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
