/** All rules joined: verify, claim, hand over, commit or release, answer. */

import * as native from '../native/index.js';
import { bodyBytes, rawBody, type Body } from './body.js';
import type { Code } from './codes.js';
import { guard, internal, unwrap } from './errors.js';
import type { EventOf } from './events.js';
import type { HeadersInput } from './headers.js';
import { copyOf, inspect, joined } from './host.js';
import { checkOptions, functionOption, invalidOption, numberOption, text } from './options.js';
import type { Scheme, SchemeName } from './scheme.js';
import { Store } from './store.js';
import { Delivery, Verifier } from './verifier.js';

/** Handles an event. What it throws makes the event come again. */
export type Handler<E> = (event: E, delivery: Delivery<E>) => unknown;

/** What a `Receiver` is made of. */
export interface ReceiverOptions<S extends SchemeName | Scheme> {
  verifier: Verifier<S>;
  store: Store;
  /** Runs once for each event. It has ten seconds: put slow work into a queue. */
  onEvent: Handler<EventOf<S>>;
  /**
   * Is told what the handler threw, once the claim is released. The answer waits for it, as a
   * worker may be stopped once it has answered: bound its time. What it throws itself is ignored.
   */
  onError?: ((error: unknown) => unknown) | undefined;
  /** The largest body, in bytes, that is looked at. 1 MiB by default. */
  bodyLimit?: number | undefined;
}

/** What became of an event. */
export type OutcomeName = 'processed' | 'duplicate' | 'in_flight' | Code;

/** The answer to a request. */
export interface Reply {
  /** The HTTP status. */
  status: number;
  /** When the sender should come again, in seconds: `Retry-After`. */
  retryAfter: number | null;
  /** `processed`, `duplicate`, `in_flight`, or the code of what failed. */
  outcome: OutcomeName;
  /** The code, where the outcome is a fault. */
  code: Code | null;
}

/** What became of an event that was listed. */
export interface Outcome {
  /** `processed`, `duplicate`, `in_flight`, or the code of what failed. */
  outcome: OutcomeName;
  code: Code | null;
  /** Of `in_flight`: ask again after so many seconds. */
  retryAfter: number | null;
}

/**
 * Receives the deliveries of one endpoint: each genuine event reaches the handler, is
 * counted once, and each request gets the answer its system wants.
 *
 * ```js
 * const receiver = new Receiver({
 *   verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
 *   store: new MemoryStore(),
 *   onEvent: async (event) => console.log(event.type, event.id),
 * });
 * export const POST = (request) => receiver.handle(request);
 * ```
 */
export class Receiver<S extends SchemeName | Scheme = SchemeName | Scheme> {
  readonly #native: native.NativeReceiver;
  readonly #verifier: Verifier<S>;
  readonly #onEvent: Handler<EventOf<S>>;
  readonly #onError: ((error: unknown) => unknown) | undefined;

  constructor(options: ReceiverOptions<S>) {
    const known = ['verifier', 'store', 'onEvent', 'onError', 'bodyLimit'] as const;
    const { verifier, store, onEvent, onError, bodyLimit } = checkOptions(options, known);
    if (!(verifier instanceof Verifier) || !(store instanceof Store) || typeof onEvent !== 'function') {
      throw invalidOption('a receiver needs a verifier, a store and onEvent');
    }
    const limit = numberOption('bodyLimit', bodyLimit);
    this.#verifier = verifier;
    this.#onEvent = onEvent;
    this.#onError = functionOption('onError', onError);
    this.#native = unwrap(
      guard(() => native.NativeReceiver.create(Verifier.native(verifier), Store.native(store), limit)),
    );
  }

  /**
   * The largest body, in bytes, that is looked at. Of a larger one no more than one byte
   * beyond it needs to be read, and given to `receive`.
   */
  get bodyLimit(): number {
    return this.#native.bodyLimit;
  }

  /** Receives one request: its raw body, exactly as it came, and its headers. */
  async receive(body: Body, headers: HeadersInput): Promise<Reply> {
    const raw = bodyBytes(rawBody(body));
    // A copy of our own: the caller may use the memory again while the handler works. A byte
    // over the limit is enough to be refused.
    const own = copyOf(raw.subarray(0, this.bodyLimit + 1));
    const values = Verifier.values(this.#verifier, headers);
    const begun = await guard(() => this.#native.begin(own, values)).catch(failed);
    if (!(begun instanceof native.NativeWork)) {
      return reply(begun);
    }
    const delivery = Verifier.delivery(this.#verifier, own, values, begun.takeVerdict());
    const failure = await attempt(() => this.#onEvent(delivery.event, delivery));
    const answer = reply(await (failure === undefined ? begun.done() : begun.release()));
    await this.#tell(failure);
    return answer;
  }

  /** Receives a web-standard request, such as of a route handler, and answers it. */
  async handle(request: Request): Promise<Response> {
    return response(await this.#receiveRequest(request));
  }

  /**
   * Handles an event that was listed or exported after an outage, under the same rules.
   * `key` is that of the listed event: a delivery of it, before or after, counts as the
   * same.
   */
  async backfill(key: string, handler: () => unknown): Promise<Outcome> {
    const wanted = text('key', key);
    let failure: Thrown | undefined;
    const run = async () => {
      failure = await attempt(handler);
      return failure === undefined;
    };
    const ended = await guard(() => this.#native.backfill(wanted, run)).catch(failed);
    await this.#tell(failure);
    return { outcome: ended.outcome as OutcomeName, code: (ended.code as Code | undefined) ?? null, retryAfter: ended.retryAfter ?? null };
  }

  /** The answer to a request whose body broke off, for those who read it themselves. */
  unreadable(): Reply {
    return reply(this.#native.unreadable());
  }

  [inspect.custom](): string {
    return `Receiver(${this.#verifier.scheme})`;
  }

  async #receiveRequest(request: Request): Promise<Reply> {
    const { body, bodyUsed } = request;
    if (bodyUsed || body?.locked) {
      rawBody({});
    }
    const reader = body?.getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for (let chunk; (chunk = (await reader?.read())?.value) !== undefined; ) {
        size += chunk.length;
        chunks.push(chunk);
        if (size > this.bodyLimit) {
          // Whether it can be called off changes nothing.
          reader!.cancel().catch(() => {});
          break;
        }
      }
    } catch {
      return this.unreadable();
    }
    return this.receive(joined(chunks, size), request.headers);
  }

  async #tell(failure: Thrown | undefined): Promise<void> {
    if (failure !== undefined) {
      await attempt(() => this.#onError?.(failure.error));
    }
  }
}

interface Thrown {
  readonly error: unknown;
}

/** What a function of the caller's threw, if it did. */
async function attempt(call: () => unknown): Promise<Thrown | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** The web-standard response that a reply is. */
export function response(reply: Reply): Response {
  const headers = new Headers({ 'content-type': 'text/plain; charset=utf-8' });
  if (reply.retryAfter !== null) {
    headers.set('retry-after', String(reply.retryAfter));
  }
  return new Response(reply.outcome, { status: reply.status, headers });
}

function reply(parts: native.ReplyParts | null | undefined): Reply {
  if (!parts) {
    throw internal(new Error('the work had ended'));
  }
  return {
    status: parts.status,
    retryAfter: parts.retryAfter ?? null,
    outcome: parts.outcome as OutcomeName,
    code: (parts.code as Code | undefined) ?? null,
  };
}

function failed(error: unknown): never {
  throw internal(error);
}
