/** The whole path of a delivery: verify, claim, call the handler, commit or release, answer. */

import * as native from '../native/index.js';
import type { Failure } from '../native/index.js';
import { bodyBytes, rawBody, streamed, type Body } from './body.js';
import { call } from './calls.js';
import type { Code } from './codes.js';
import { guard, toError, unwrap } from './errors.js';
import type { EventOf } from './events.js';
import type { HeadersInput } from './headers.js';
import { ADAPTERS, copyOf, inspect } from './host.js';
import { callable, checkOptions, functionOption, invalidOption, isGenerator, numberOption, text } from './options.js';
import type { Scheme, SchemeName } from './scheme.js';
import { Store } from './store.js';
import { Delivery, Verifier } from './verifier.js';

/**
 * Handles an event. If it throws, the event comes again. It may be asynchronous, but not a
 * generator function, because calling one runs none of its code.
 */
export type Handler<E> = (event: E, delivery: Delivery<E>) => unknown;

/** The options of a `Receiver`. */
export interface ReceiverOptions<S extends SchemeName | Scheme> {
  /** Decides what is genuine. */
  verifier: Verifier<S>;
  /** Where claims are kept. */
  store: Store;
  /**
   * Runs once for each event. It has ten seconds: hand slow work to a queue. A receiver without
   * it has only `begin` and `backfill`.
   */
  onEvent?: Handler<EventOf<S>>;
  /**
   * Called with what the handler threw, after the claim is released; with a `StoreError` if the
   * store failed; and with a `VerificationError` if a delivery was refused although its signature
   * held (`malformed_event`, `header_body_mismatch`), because a genuine event may be lost. Not
   * called for forgeries. `console.error` by default. The reply waits for it, because a worker may
   * be stopped once it has replied, so limit its time. Errors that it throws are ignored.
   */
  onError?: ((error: unknown) => unknown) | undefined;
  /**
   * Called with every reply, such as to count what comes: forgeries and duplicates too, which
   * `onError` is not told of. Nothing by default. The reply waits for it, as for `onError`; what it
   * throws is ignored.
   */
  onReply?: ((reply: Reply) => unknown) | undefined;
  /** The largest body, in bytes, that is accepted. 1 MiB by default. */
  bodyLimit?: number | undefined;
}

/** What became of an event. */
export type Outcome = 'processed' | 'duplicate' | 'in_flight' | Code;

/** The context that a host passes with a request, such as that of a worker or an edge function. */
export interface HostContext {
  /** Keeps work running after the response, and after the sender has hung up. */
  waitUntil?(work: Promise<unknown>): void;
}

/** The reply to a request. */
export interface Reply {
  /** The HTTP status. */
  status: number;
  /** How many seconds the sender should wait before it sends again: `Retry-After`. */
  retryAfter: number | null;
  /** `processed`, `duplicate`, `in_flight`, or the code of what failed. */
  outcome: Outcome;
  /** The code, where the outcome is a fault. */
  code: Code | null;
}

/** The result of back-filling one event. */
export interface Backfilled {
  /** `processed`, `duplicate`, `in_flight`, or the code of what failed. */
  outcome: Outcome;
  /** The code, where the outcome is a fault. */
  code: Code | null;
  /** Only for `in_flight`: call again after this many seconds. */
  retryAfter: number | null;
}

/**
 * Receives the deliveries of one endpoint: it verifies each request, runs the handler for each new
 * event, and gives each request the response that its system expects.
 *
 * ```js
 * const receiver = new Receiver({
 *   verifier: new Verifier('health', process.env.VELORA_WEBHOOK_SECRET),
 *   store: new MemoryStore(),
 *   onEvent: async (event) => console.log(event.type, event.id),
 * });
 * export const POST = (request) => receiver.handle(request);
 * ```
 *
 * Endpoints of the same system need a store each, or in a shared database a `namespace` each (see
 * `openStore`): otherwise an event that one has handled is a `duplicate` at the other. Endpoints of
 * different systems can share a store.
 */
export class Receiver<S extends SchemeName | Scheme = SchemeName | Scheme> {
  /** Decides what is genuine. */
  readonly verifier: Verifier<S>;
  /** Where claims are kept. */
  readonly store: Store;
  readonly #native: native.NativeReceiver;
  readonly #onEvent: Handler<EventOf<S>> | undefined;
  readonly #onError: (error: unknown) => unknown;
  readonly #onReply: ((reply: Reply) => unknown) | undefined;

  /** Throws `invalid_option`. */
  constructor(options: ReceiverOptions<S>) {
    const known = ['verifier', 'store', 'onEvent', 'onError', 'onReply', 'bodyLimit'] as const;
    const { verifier, store, onEvent, onError, onReply, bodyLimit } = checkOptions(options, known);
    if (!(verifier instanceof Verifier)) {
      throw invalidOption('verifier is not a Verifier');
    }
    if (!(store instanceof Store)) {
      throw invalidOption('store is not a Store');
    }
    // One that is missing by mistake would be found at the first delivery.
    this.#onEvent = 'onEvent' in options ? callable('onEvent', onEvent) : undefined;
    const limit = numberOption('bodyLimit', bodyLimit);
    this.verifier = verifier;
    this.store = store;
    this.#onError = functionOption('onError', onError)
      ?? ((error) => console.error(`velora: an event of ${verifier.scheme} was not handled`, error));
    this.#onReply = functionOption('onReply', onReply);
    this.#native = unwrap(
      guard(() => native.NativeReceiver.create(Verifier.native(verifier), Store.native(store), limit)),
    );
  }

  /**
   * The largest body, in bytes, that is accepted. Of a larger body you need not read, or pass to
   * `receive`, more than one byte beyond the limit.
   */
  get bodyLimit(): number {
    return this.#native.bodyLimit;
  }

  /**
   * Receives one request: its raw body, exactly as received, and its headers. Throws only
   * `body_already_parsed`, `unreadable_headers`, and `invalid_option` if there is no `onEvent`.
   * Everything else is in the reply.
   */
  async receive(body: Body, headers: HeadersInput): Promise<Reply> {
    const onEvent = Receiver.handler(this);
    const work = await this.begin(body, headers);
    if (!(work instanceof Work)) {
      return work;
    }
    const failure = await attempt(() => onEvent(work.event, work.delivery));
    const answer = await (failure === undefined ? work.done() : work.release());
    if (failure !== undefined) {
      await this.#tell(failure.error);
    }
    return answer;
  }

  /**
   * The first half of `receive`, for your own control flow. Returns the work to do, or the reply
   * to send at once.
   *
   * The receiver has claimed the event. If its store is in PostgreSQL, you can commit the claim
   * in one transaction with what you write, so that effects are exactly-once:
   *
   * ```js
   * const work = await receiver.begin(body, headers);
   * if (!(work instanceof Work)) return work; // such as a forgery or a duplicate
   * try {
   *   await client.query('BEGIN');
   *   await client.query('INSERT INTO payments VALUES (100)');
   *   await store.commitIn(client, work.key, work.epoch);
   *   await client.query('COMMIT');
   * } catch (error) {
   *   console.error(error);
   *   await client.query('ROLLBACK').catch(() => {});
   *   return work.release();
   * }
   * return work.committed();
   * ```
   *
   * Throws `body_already_parsed`, `unreadable_headers`.
   */
  async begin(body: Body, headers: HeadersInput): Promise<Work<EventOf<S>> | Reply> {
    const raw = bodyBytes(rawBody(body));
    // A copy of our own: the caller may use the memory again while the handler works. A byte
    // over the limit is enough to be refused.
    const own = copyOf(raw.subarray(0, this.bodyLimit + 1));
    const values = Verifier.values(this.verifier, headers);
    const begun = await call(undefined, () => this.#native.begin(own, values));
    if (!(begun instanceof native.NativeWork)) {
      return this.#answer(begun);
    }
    const delivery = Verifier.delivery(this.verifier, own, values, begun.takeVerdict());
    return Work.made(begun, delivery, (parts) => this.#answer(parts));
  }

  /**
   * Receives a web-standard `Request`, such as in a route handler, and returns the `Response`. Some
   * hosts, such as Cloudflare Workers, stop work when the sender hangs up. Pass their context
   * too, so that the work is finished and the event is not handled again.
   *
   * Throws `body_already_parsed` if the body was read before; `invalid_option` if there is no
   * `onEvent`, or `request` is not a `Request`.
   */
  handle(request: Request, context?: HostContext): Promise<Response> {
    const answer = this.#receiveRequest(request).then(response);
    try {
      context?.waitUntil?.(answer);
    } catch (error) {
      // The delivery is being handled already, and is answered.
      console.error('velora: waitUntil failed', error);
    }
    return answer;
  }

  /**
   * Handles an event that was not delivered, but listed, exported or streamed, such as after an
   * outage. The rules are the same: `handler` runs only if nobody else has handled the event or
   * is handling it. `key` is the key of that event, such as `AuditEvent.key`. A delivery of the
   * same event, earlier or later, counts as the same. Throws only `invalid_option`; everything
   * else is in the result.
   */
  async backfill(key: string, handler: () => unknown): Promise<Backfilled> {
    const wanted = text('key', key);
    const handle = callable('handler', handler);
    let failure: Thrown | undefined;
    const run = async () => (failure = await attempt(handle)) === undefined;
    const ended = await call(undefined, () => this.#native.backfill(wanted, run));
    await this.#tellReason(ended);
    if (failure !== undefined) {
      await this.#tell(failure.error);
    }
    return { outcome: ended.outcome as Outcome, code: (ended.code as Code | undefined) ?? null, retryAfter: ended.retryAfter ?? null };
  }

  /** The reply to a request whose body broke off, for callers who read the body. It does not wait for `onReply`. */
  unreadable(): Reply {
    const made = reply(this.#native.unreadable());
    void this.#report(made);
    return made;
  }

  /** @internal What handles its events: whoever mounts one without is told at once. */
  static handler<S extends SchemeName | Scheme>(receiver: Receiver<S>): Handler<EventOf<S>> {
    if (!(receiver instanceof Receiver) || receiver.#onEvent === undefined) {
      throw invalidOption('this is not a receiver with an onEvent; without one use begin');
    }
    return receiver.#onEvent;
  }

  [inspect.custom](): string {
    return `Receiver(${this.verifier.scheme})`;
  }

  async #receiveRequest(request: Request): Promise<Reply> {
    if (typeof request?.arrayBuffer !== 'function' || !request.headers) {
      throw invalidOption(`this is not a web Request${ADAPTERS}`);
    }
    const { body } = request;
    if (wasRead(request)) {
      rawBody({});
    }
    // Some hosts have a body and do not show it.
    const hidden = (body as unknown) === undefined;
    const read = await (hidden ? request.arrayBuffer().catch(() => undefined) : body ? streamed(body, this.bodyLimit) : new Uint8Array());
    return read === undefined ? this.#answer(this.#native.unreadable()) : this.receive(read, request.headers);
  }

  async #answer(parts: native.ReplyParts): Promise<Reply> {
    await this.#tellReason(parts);
    const made = reply(parts);
    await this.#report(made);
    return made;
  }

  /** Shows `onReply` a copy of the reply. */
  async #report(made: Reply): Promise<void> {
    const onReply = this.#onReply;
    if (onReply !== undefined) {
      await attempt(() => onReply({ ...made }));
    }
  }

  async #tellReason({ reason }: Pick<native.ReplyParts, 'reason'>): Promise<void> {
    if (reason) {
      await this.#tell(toError(reason));
    }
  }

  async #tell(error: unknown): Promise<void> {
    await attempt(() => this.#onError(error));
  }
}

/**
 * A genuine event that is claimed for you to handle; `Receiver.begin` returns it. End it with
 * `done`, `committed` or `release`, and answer with the reply that this returns. If it is dropped,
 * its lease expires by itself.
 *
 * Ending it a second time throws `invalid_option`.
 */
export class Work<E = unknown> {
  /** The verified delivery. */
  readonly delivery: Delivery<E>;
  readonly #native: native.NativeWork;
  readonly #answer: Answer;

  private constructor(made: native.NativeWork, delivery: Delivery<E>, answer: Answer) {
    this.#native = made;
    this.delivery = delivery;
    this.#answer = answer;
  }

  /** @internal */
  static made<E>(made: native.NativeWork, delivery: Delivery<E>, answer: Answer): Work<E> {
    return new Work(made, delivery, answer);
  }

  /** The typed event that was delivered. */
  get event(): E {
    return this.delivery.event;
  }

  /** The key that was claimed. */
  get key(): string {
    return this.#native.key;
  }

  /** The claim's epoch, for `commitIn`, which commits the claim together with what you write. */
  get epoch(): number {
    return this.#native.epoch;
  }

  /** The event was handled: commits the claim. The status is 200 only if that succeeds. */
  async done(): Promise<Reply> {
    return this.#answer(await held(() => this.#native.done()));
  }

  /**
   * Call it after your own transaction, which contained `commitIn`, has been committed. The status
   * is 200.
   */
  async committed(): Promise<Reply> {
    return this.#answer(await held(() => this.#native.committed()));
  }

  /**
   * The event was not handled: releases the claim, so that it comes again. The outcome is
   * `handler_failed`, or `lease_lost` if the claim was taken over.
   */
  async release(): Promise<Reply> {
    return this.#answer(await held(() => this.#native.release()));
  }

  /** Gives long work more time: the lease starts again at its full length. Throws `lease_lost`, `store_full`, `store_unavailable`. */
  async renew(): Promise<void> {
    await held(() => this.#native.renew());
  }
}

/** Calls upon work, which gives nothing where it was ended. */
async function held<T extends object | boolean>(ask: () => Promise<T | Failure | null | undefined>): Promise<T> {
  const given = await call(undefined, ask);
  if (!given) {
    throw invalidOption('this work has already ended');
  }
  return given;
}

interface Thrown {
  readonly error: unknown;
}

/** Makes the reply, once the receiver's `onError` knows the reason, and `onReply` the reply. */
type Answer = (parts: native.ReplyParts) => Promise<Reply>;

/** What a function of the caller's threw, if it did. One that gives a generator has run nothing. */
async function attempt(call: () => unknown): Promise<Thrown | undefined> {
  try {
    if (isGenerator(await call())) {
      throw invalidOption('the handler returned a generator, which has not run');
    }
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Whether somebody has read the body, is reading it, or has replaced it. */
export function wasRead({ body, bodyUsed }: Request): boolean {
  return bodyUsed || body?.locked === true || (Boolean(body) && typeof body?.getReader !== 'function');
}

/** The web-standard response that a reply is. */
export function response(reply: Reply): Response {
  const headers = new Headers({ 'content-type': 'text/plain; charset=utf-8' });
  if (reply.retryAfter !== null) {
    headers.set('retry-after', String(reply.retryAfter));
  }
  return new Response(reply.outcome, { status: reply.status, headers });
}

function reply(parts: native.ReplyParts): Reply {
  return {
    status: parts.status,
    retryAfter: parts.retryAfter ?? null,
    outcome: parts.outcome as Outcome,
    code: (parts.code as Code | undefined) ?? null,
  };
}
