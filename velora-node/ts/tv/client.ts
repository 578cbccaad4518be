/** The client of Velora TV. */

import { inspect } from '../host.js';
import * as native from '../../native/index.js';
import { call, checkedSignal, signalOf, type CallOptions } from '../calls.js';
import { CLIENT_OPTIONS, clientParts, extra, loggedAs, rateLimit, type ClientOptions, type RateLimit } from '../client.js';
import { ApiError } from '../api-error.js';
import { guard, toError, unwrap } from '../errors.js';
import { checkOptions, invalidOption, numberOption, text, texts } from '../options.js';
import { walk, type Steps } from '../paging.js';
import { SigningSecret } from '../secret.js';
import type { Event, KnownEventType } from './event.js';

/** The options of a client. */
export interface TvClientOptions extends ClientOptions {
  /** The longest wait for the next bytes. 300 by default; for the stream see `idleTimeout`. */
  readTimeout?: number | undefined;
  /** The longest a call may take, including waits; it does not apply to a stream. 60 by default. */
  callTimeout?: number | undefined;
  /**
   * An access token, which is valid for an hour, or a function that returns a valid one. The
   * function is called before each request, so let it cache the token for as long as it is valid.
   * If it throws, the attempt fails with `connection`, with the thrown error as the `cause`, and is
   * retried as any failed request. If it returns no string, the call is `unauthorized`.
   */
  token: string | (() => string | Promise<string>);
}

/** A webhook to register. */
export interface NewWebhook {
  /** The app's id. */
  clientId: string;
  /** The `https` URL that deliveries are sent to. */
  url: string;
  /** The event types that it receives. */
  events: readonly (KnownEventType | (string & {}))[];
}

/**
 * A webhook that was just registered. The response is not documented: `id` and `secret` are taken
 * from its members of these names, if it has them.
 */
export class CreatedWebhook {
  /** The webhook's id, if the response has one. */
  readonly id: string | null;
  /** The secret that its deliveries are signed with, if the response has one. Otherwise the dashboard shows it. */
  readonly secret: SigningSecret | null;
  readonly #response: string | null;

  private constructor(parts: native.CreatedWebhookParts) {
    this.id = parts.id ?? null;
    this.secret = parts.secret ? new SigningSecret(parts.secret) : null;
    this.#response = parts.response ?? null;
  }

  /** @internal */
  static made(parts: native.CreatedWebhookParts): CreatedWebhook {
    return new CreatedWebhook(parts);
  }

  /** The whole response; null if it was empty. It contains the secret: do not log it. */
  get response(): unknown {
    return this.#response === null ? null : (JSON.parse(this.#response) as unknown);
  }
}

/** The options of the event stream; durations are in seconds. */
export interface StreamOptions extends CallOptions {
  /** How long the connection may be silent before it is considered dead. 90 by default. */
  idleTimeout?: number | undefined;
  /** After how many seconds without a connection to give up, with the error of the next attempt. Never by default. */
  maxOutage?: number | undefined;
}

/** The stream is connected, and events arrive from now on: at the start, and after each gap. */
export interface Connected {
  /** Tells it from the other items. */
  kind: 'connected';
  /** Whether the token was accepted. */
  authenticated: boolean | null;
  /** Whether the events of the token's own channel are included automatically. */
  autoSubscribed: boolean | null;
  /** The name of that channel. */
  channelUsername: string | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/**
 * An event of the stream, known or unknown. Logging it, or its `event`, shows only its type and its
 * key.
 */
export interface StreamEvent {
  /** Tells it from the other items. */
  kind: 'event';
  /** The event's type: its name on the stream, or the `type` inside the data if it has none. */
  type: KnownEventType | (string & {});
  /** The typed event, if the data has the form of a delivery's body; else null. */
  event: Event | null;
  /** The event's id on the stream, from which a new connection resumes. */
  id: string | null;
  /** The data as received; as far as known, always JSON. */
  data: string;
  /** The identity to deduplicate on: equal to the key of the event's delivery. */
  key: string | null;
}

/** The connection was lost: events may be missing until the next `connected`. */
export interface Gap {
  /** Tells it from the other items. */
  kind: 'gap';
  /** Why the connection was lost. */
  reason: ApiError;
  /** Nothing before this time is missing. */
  since: Date;
  /** The id from which the next connection asks to resume. */
  lastEventId: string | null;
}

/** One item of the stream, narrowed by `switch (item.kind)`. */
export type StreamItem = Connected | StreamEvent | Gap;

/** The items of the stream, until you leave the loop. */
export type EventStream = Steps<StreamItem>;

/**
 * The client of Velora TV. Every call may throw an `ApiError`: `unauthorized`, `forbidden`,
 * `not_found`, `conflict`, `invalid_request`, `rate_limited`, `server_error`, `connection`, `timeout`,
 * `malformed_response`, `response_too_large`, `unexpected_redirect`.
 *
 * Source: Velora TV, *Events API*, *Webhooks*, *Rate limits*.
 */
export class Client {
  readonly #native: native.NativeTv;
  readonly #explain: ((error: unknown) => unknown) | undefined;

  /** Throws `invalid_api_key`, `invalid_base_url`, `invalid_option`. */
  constructor(options: TvClientOptions) {
    const { token, ...rest } = checkOptions(options, ['token', ...CLIENT_OPTIONS]);
    const parts = clientParts(rest);
    if (typeof token === 'function') {
      const tokens = new Tokens(token);
      this.#native = unwrap(guard(() => native.NativeTv.createWithTokens(() => tokens.ask(), parts)));
      this.#explain = (error) => tokens.explain(error);
    } else if (typeof token === 'string' || token === undefined) {
      this.#native = unwrap(guard(() => native.NativeTv.create(token ?? '', parts)));
    } else {
      throw invalidOption('token is neither a string nor a function');
    }
  }

  /**
   * Registers a webhook of an app. The call is never retried. Throws `not_found` if there is no such
   * app; `invalid_option` before anything is sent.
   */
  async createWebhook(webhook: NewWebhook, options?: CallOptions): Promise<CreatedWebhook> {
    const { clientId, url, events } = checkOptions(webhook, ['clientId', 'url', 'events']);
    const [app, where, types] = [text('clientId', clientId), text('url', url), texts('events', events)];
    const made = await call(signalOf(options), (cancel) => this.#native.createWebhook(app, where, types, cancel)).catch(
      (error) => {
        throw this.#explain === undefined ? error : this.#explain(error);
      },
    );
    return CreatedWebhook.made(made);
  }

  /**
   * Streams events as they happen, and reconnects as often as needed. A connection that is lost, or
   * silent for `idleTimeout`, is reported as a `Gap`. Reconnecting waits longer with each failure, and
   * asks for a new token. The stream ends with an error that another attempt would not fix, or
   * after `maxOutage` without a connection; otherwise it never ends.
   */
  events(options?: StreamOptions): EventStream {
    const { signal, idleTimeout, maxOutage } = checkOptions(options, ['signal', 'idleTimeout', 'maxOutage']);
    const [idle, outage] = [numberOption('idleTimeout', idleTimeout), numberOption('maxOutage', maxOutage)];
    const stream = unwrap(guard(() => this.#native.events(idle, outage)));
    return walk<native.StreamItemParts, StreamItem>(() => stream, item, checkedSignal(signal), this.#explain);
  }

  /** The base URL of the API. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit, according to the last response. */
  get rateLimit(): RateLimit {
    return rateLimit(this.#native.rateLimit());
  }

  [inspect.custom](): string {
    return 'tv.Client';
  }
}

const THREW = 'the token function threw';

/** The caller's token function, and what it last threw. */
class Tokens {
  readonly #token: () => string | Promise<string>;
  #thrown: unknown;

  constructor(token: () => string | Promise<string>) {
    this.#token = token;
  }

  async ask(): Promise<native.GivenToken> {
    try {
      const token: unknown = await this.#token();
      return typeof token === 'string' ? { token } : {};
    } catch (error) {
      this.#thrown = error;
      return { threw: THREW };
    }
  }

  /** If no request was sent because the function threw, what it threw becomes the cause. */
  explain(error: unknown): unknown {
    if (error instanceof ApiError && error.message.startsWith(THREW)) {
      Object.defineProperty(error, 'cause', { value: this.#thrown, configurable: true, writable: true });
    }
    return error;
  }
}

function item(parts: native.StreamItemParts): StreamItem {
  switch (parts.kind) {
    case 'connected':
      return {
        kind: 'connected',
        authenticated: parts.authenticated ?? null,
        autoSubscribed: parts.autoSubscribed ?? null,
        channelUsername: parts.channelUsername ?? null,
        extra: extra(parts.extra),
      };
    case 'gap':
      return {
        kind: 'gap',
        reason: toError(parts.reason as native.Failure) as ApiError,
        since: new Date(parts.since ?? NaN),
        lastEventId: parts.lastEventId ?? null,
      };
    default: {
      const [type, key] = [parts.eventType ?? '', parts.key ?? null];
      const name = `(${type}, ${key ?? 'no key'})`;
      return loggedAs(`StreamEvent${name}`, {
        kind: 'event',
        type,
        event: parts.event ? loggedAs(`Event${name}`, JSON.parse(parts.event) as Event) : null,
        id: parts.id ?? null,
        data: parts.data ?? '',
        key,
      });
    }
  }
}
