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
  /** The longest wait for the next bytes. 300 by default; of the stream see `idleTimeout`. */
  readTimeout?: number | undefined;
  /** The longest a call may take, waits included; a stream has no such end. 60 by default. */
  callTimeout?: number | undefined;
  /**
   * An access token, good for an hour; or a function that gives one that is good now. It
   * is asked before each request: keep a token for as long as it lasts. When it throws, that
   * counts as `connection`, with what it threw as the `cause`: it is asked again wherever a
   * request would be sent again. That it gives none is `unauthorized`.
   */
  token: string | (() => string | Promise<string>);
}

/** A webhook to be registered. */
export interface NewWebhook {
  /** The app's id. */
  clientId: string;
  /** Where deliveries go: `https`. */
  url: string;
  /** The types of the events that it receives. */
  events: readonly (KnownEventType | (string & {}))[];
}

/**
 * What registering a webhook gave. The answer is not documented: `id` and `secret` are taken
 * from it where it has members of that name.
 */
export class CreatedWebhook {
  /** The webhook's id, where the answer has one. */
  readonly id: string | null;
  /** What its deliveries are signed with, where the answer has it. Otherwise the dashboard shows it. */
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

  /** The whole answer; null where it was empty. It holds the secret: do not log it. */
  get response(): unknown {
    return this.#response === null ? null : (JSON.parse(this.#response) as unknown);
  }
}

/** How the stream is listened to, times in seconds. */
export interface StreamOptions extends CallOptions {
  /** After so long without a byte the connection is taken for dead. 90 by default. */
  idleTimeout?: number | undefined;
  /** The first attempt that fails after so long without a connection is the last. */
  maxOutage?: number | undefined;
}

/** The system's first word on each connection: events come from now on. */
export interface Connected {
  /** Tells it from the other items. */
  kind: 'connected';
  /** Whether the token was taken. */
  authenticated: boolean | null;
  /** Whether the events of the token's own channel come without being asked for. */
  autoSubscribed: boolean | null;
  /** The name of that channel. */
  channelUsername: string | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/**
 * Something happened: an event as the stream has it, unknown ones too. Logging it, or its
 * `event`, shows its type and its key alone.
 */
export interface StreamEvent {
  /** Tells it from the other items. */
  kind: 'event';
  /** What happened: the name on the stream, or the `type` within where it has none. */
  type: KnownEventType | (string & {});
  /** The typed event, where the data is an envelope as deliveries have it. */
  event: Event | null;
  /** The stream's id of this place: what a new connection resumes from. */
  id: string | null;
  /** The data as received: JSON, for all that is known. */
  data: string;
  /** The identity to deduplicate on: the same as of the event's delivery. */
  key: string | null;
}

/** The connection was lost: events may be missing until the next `connected`. */
export interface Gap {
  /** Tells it from the other items. */
  kind: 'gap';
  /** Why it began. */
  reason: ApiError;
  /** Up to then nothing is missing. */
  since: Date;
  /** What the next connection asks to resume from. */
  lastEventId: string | null;
}

/** One thing that the stream has to tell, narrowed by `switch (item.kind)`. */
export type StreamItem = Connected | StreamEvent | Gap;

/** What the stream tells, one thing after the other, until it is left. */
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
      throw invalidOption('token is neither a text nor a function');
    }
  }

  /**
   * Registers a webhook of an app. It is sent once, never again by itself. Throws `not_found`
   * where there is no such app; `invalid_option` before anything is sent.
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
   * Events as they happen, over as many connections as it takes. A connection that is lost, or
   * silent for `idleTimeout`, is a `Gap`, and is made again with a growing wait and a token that
   * is asked for anew. It ends with an error that no further attempt would mend; with
   * `maxOutage`, with whatever keeps it away for so long; without one it never does.
   */
  events(options?: StreamOptions): EventStream {
    const { signal, idleTimeout, maxOutage } = checkOptions(options, ['signal', 'idleTimeout', 'maxOutage']);
    const [idle, outage] = [numberOption('idleTimeout', idleTimeout), numberOption('maxOutage', maxOutage)];
    const stream = unwrap(guard(() => this.#native.events(idle, outage)));
    return walk<native.StreamItemParts, StreamItem>(() => stream, item, checkedSignal(signal), this.#explain);
  }

  /** Where the API is. */
  get baseUrl(): string {
    return this.#native.baseUrl;
  }

  /** The rate limit as the last answer left it. */
  get rateLimit(): RateLimit {
    return rateLimit(this.#native.rateLimit());
  }

  [inspect.custom](): string {
    return 'tv.Client';
  }
}

const THREW = 'the function that gives tokens threw';

/** A function that gives tokens, and what it last threw. */
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

  /** No request was sent for want of a token: what the function threw is the cause. */
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
