/** The endpoints of a tenant. */

import type * as native from '../../native/index.js';
import { call, signalOf, type CallOptions } from '../calls.js';
import { instant } from '../client.js';
import { checkOptions, text, textOption, textsOption } from '../options.js';
import { SigningSecret } from '../secret.js';

/** An endpoint to be registered. */
export interface NewEndpoint {
  /** Where deliveries go. */
  url: string;
  /** Prefixes of the event types to deliver, such as `phi.`. Every event by default. */
  eventFilter?: readonly string[] | undefined;
  /** A name for humans. */
  description?: string | undefined;
}

/** A registered endpoint. Any member but the id may be absent from a response. */
export interface Endpoint {
  /** Its id, such as `wh_8b2e5c11`. */
  id: string;
  /** Where deliveries go. */
  url: string | null;
  /** The prefixes of the event types that it receives; empty means every event. */
  eventFilter: string[];
  /** A name for humans. */
  description: string | null;
  /** Whether deliveries are sent. A disabled endpoint cannot be enabled again: register the URL anew. */
  active: boolean | null;
  /** Failed deliveries in a row; at 10 the system disables the endpoint. */
  consecutiveFailures: number;
  /** When a delivery was last sent. */
  lastDeliveryAt: Date | null;
  /** When it was registered. */
  createdAt: Date | null;
  /** Whether it has more than 3 consecutive failures. Fix it before the tenth. */
  isFailing: boolean;
}

/** The result of registering an endpoint. Its secret is never shown again. */
export interface Registration {
  /** The endpoint. */
  endpoint: Endpoint;
  /**
   * The secret that its deliveries are signed with, ready for a `Verifier`. Store it at once:
   * `secret.exposeSecret()`.
   */
  secret: SigningSecret;
}

/**
 * The endpoints that events are delivered to.
 *
 * Source: Velora Health, *Webhooks*.
 */
export class Webhooks {
  readonly #native: native.NativeHealth;

  /** @internal */
  constructor(made: native.NativeHealth) {
    this.#native = made;
  }

  /**
   * Registers an endpoint. Needs the scope `webhooks:write`.
   *
   * Store the secret before you do anything else: it is shown only once. The call is never retried,
   * because each success registers another endpoint. After `connection`, `timeout`, `server_error`,
   * `malformed_response` or `response_too_large` the endpoint may exist, and its secret is lost.
   * Find it with `list`, `delete` it, and register again.
   */
  async create(endpoint: NewEndpoint, options?: CallOptions): Promise<Registration> {
    const { url, eventFilter, description } = checkOptions(endpoint, ['url', 'eventFilter', 'description']);
    const where = text('url', url);
    const filter = textsOption('eventFilter', eventFilter);
    const name = textOption('description', description);
    const made = await call(signalOf(options), (cancel) => this.#native.createWebhook(where, filter, name, cancel));
    return { endpoint: read(made.endpoint), secret: new SigningSecret(made.secret) };
  }

  /** All endpoints, including disabled ones. Needs the scope `audit:read`. */
  async list(options?: CallOptions): Promise<Endpoint[]> {
    const endpoints = await call(signalOf(options), (cancel) => this.#native.listWebhooks(cancel));
    return endpoints.map(read);
  }

  /**
   * Stops deliveries and keeps the history. A disabled endpoint cannot be enabled: register the URL
   * again, which gives it a new id and a new secret. Throws `not_found`.
   */
  async disable(id: string, options?: CallOptions): Promise<void> {
    const wanted = text('id', id);
    await call(signalOf(options), (cancel) => this.#native.disableWebhook(wanted, cancel));
  }

  /** Removes the endpoint and its delivery history. Throws `not_found`. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    const wanted = text('id', id);
    await call(signalOf(options), (cancel) => this.#native.deleteWebhook(wanted, cancel));
  }
}

function read(endpoint: native.HealthEndpoint): Endpoint {
  return {
    id: endpoint.id,
    url: endpoint.url ?? null,
    eventFilter: endpoint.eventFilter,
    description: endpoint.description ?? null,
    active: endpoint.active ?? null,
    consecutiveFailures: endpoint.consecutiveFailures,
    lastDeliveryAt: instant(endpoint.lastDeliveryAt),
    createdAt: instant(endpoint.createdAt),
    isFailing: endpoint.isFailing,
  };
}
