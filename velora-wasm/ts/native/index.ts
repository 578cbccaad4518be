/** The module in the shape of Node's addon, whose TypeScript layer stands on either. */

import type {
  ClientParts, DeliveryParts, EventQueryParts, EventsText, ExportedOnceParts, ExportQueryParts, Failure, HealthEndpoint,
  HealthRegistration, ManifestParts, OutcomeParts, ProgressParts, RateLimitParts, ReplyParts, SchemeParts, SignedParts,
  StoreAnswer, StoreParts, ToleranceParts,
} from './types.js';
import { host } from './fetch.js';
import { answer, answerText, mostOf, put, putValues, room, sizeOf, type Values } from './frame.js';
import { enter, FAILED, lastFailure, later, Made, putItems } from './calls.js';
import { instance, type Glue, type Instance } from './instance.js';

export type {
  ApiFailure, ClientParts, DeliveryParts, EventQueryParts, EventsText, ExportQueryParts, Failure, HealthEndpoint,
  ManifestParts, ProgressParts, RateLimitParts, ReplyParts, SchemeParts, StoreAnswer, StoreParts, ToleranceParts,
} from './types.js';

type Answer<T> = T | Failure;
type Secret = string | Uint8Array;
type Verdict = number | [number, number] | Failure;
type Item = readonly [number, string | Uint8Array];

/** From here on the host's own hash is quicker, the way there and back included. */
const ELSEWHERE = 2048;
const MAC = 32;
const encoder = new TextEncoder();

const unheld = new FinalizationRegistry<{ at: number; glue: Glue }>(({ at, glue }) => glue['drop_verifier'](at));

/** The items of a scheme and secrets. */
function itemsOf(scheme: string | SchemeParts, secrets: readonly Secret[]): Item[] {
  const items: Item[] = secrets.map((secret) => [typeof secret === 'string' ? 1 : 2, secret]);
  if (typeof scheme === 'string') {
    return [[0, scheme], ...items];
  }
  const status = scheme.rejectStatus === undefined ? undefined : String(scheme.rejectStatus);
  const texts = [
    scheme.name, scheme.signatureHeader, scheme.prefix, scheme.timestampHeader,
    scheme.timestampInMilliseconds ? '' : undefined, scheme.signedBefore, scheme.signedAfter, status,
    scheme.clientErrorsAreFinal ? '' : undefined,
  ];
  texts.forEach((text, at) => {
    if (text !== undefined) {
      items.push([16 + at, text]);
    }
  });
  // An empty one says that there are some, or none.
  for (const member of scheme.identity ? ['', ...scheme.identity] : []) {
    items.push([32, member]);
  }
  return items;
}

/** A verifier of the core. */
export class NativeVerifier {
  readonly #made: Made<{ at: number }>;
  readonly #secrets: readonly Secret[];
  #keys: Promise<CryptoKey[]> | undefined;

  private constructor(made: Made<{ at: number }>, secrets: readonly Secret[]) {
    this.#made = made;
    this.#secrets = secrets;
  }

  static create(scheme: string | SchemeParts, secrets: readonly Secret[], tolerance: ToleranceParts): Answer<NativeVerifier> {
    const items = itemsOf(scheme, secrets);
    return enter((first) => {
      const made = new Made(first, (glue, one) => {
        const at = glue['verifier'](putItems(one, items), tolerance.seconds, tolerance.dangerousNoLimit === true);
        if (at === FAILED) {
          throw answerText(one, glue['failed']());
        }
        const held = { at };
        unheld.register(held, { at, glue });
        return held;
      });
      return new NativeVerifier(made, secrets);
    });
  }

  /** @internal */
  in(one: Instance): number {
    return this.#made.in(one).at;
  }

  get headerNames(): string[] {
    const names = enter((one) => {
      room(one, 1);
      return answerText(one, one.glue['header_names'](this.in(one)));
    });
    return (names as string).split('\n').slice(0, -1);
  }

  fastVerify(): (body: string | Uint8Array, now: number | undefined, ...values: Values[]) => Verdict {
    return (body, now, ...values) => this.#asked('verify', body, values, (one, number) => verdict(one, number, this.#secrets), now ?? Date.now());
  }

  fastRead(): (body: string | Uint8Array, now: undefined, ...values: Values[]) => string | Failure {
    return (body, _, ...values) => this.#asked('read_event', body, values, answerText);
  }

  checkHeaders(body: Uint8Array, values: string[][]): Answer<boolean> {
    return this.#asked('check_headers', body, values, () => true);
  }

  /** Hashes with the host, if it has what it takes and the body is large. */
  elsewhere(body: string | Uint8Array, now: number | undefined, values: readonly Values[]): Promise<Verdict> | undefined {
    const subtle = globalThis.crypto?.subtle;
    if (body.length < ELSEWHERE || subtle === undefined) {
      return undefined;
    }
    return this.#hashed(subtle, typeof body === 'string' ? encoder.encode(body) : body, now ?? Date.now(), values);
  }

  async #hashed(subtle: SubtleCrypto, body: Uint8Array, now: number, values: readonly Values[]): Promise<Verdict> {
    const message = this.#checked(values, [], now, (one, length) => {
      const joined = new Uint8Array(length + body.length);
      joined.set(answer(one, length));
      joined.set(body, length);
      return joined;
    });
    if (!(message instanceof Uint8Array)) {
      return message;
    }
    this.#keys ??= Promise.all(this.#secrets.map((secret) => keyOf(subtle, secret)));
    const keys = await this.#keys;
    const macs = await Promise.all(keys.map((key) => subtle.sign('HMAC', key, message)));
    return this.#checked(values, macs, now, (one, number) => verdict(one, number, this.#secrets));
  }

  #checked<T>(values: readonly Values[], macs: ArrayBuffer[], now: number, read: (one: Instance, number: number) => T): T | Failure {
    return enter((one) => {
      const at = this.in(one);
      const bytes = room(one, sizeOf(values) + macs.length * MAC);
      const headers = putValues(bytes, values);
      macs.forEach((mac, place) => bytes.set(new Uint8Array(mac), headers + place * MAC));
      const number = one.glue['precheck'](at, headers, macs.length * MAC, now);
      return number === FAILED ? lastFailure(one) : read(one, number);
    });
  }

  #asked<T>(call: string, body: string | Uint8Array, values: readonly Values[], read: (one: Instance, number: number) => T, now?: number): T | Failure {
    return enter((one) => {
      const at = this.in(one);
      const bytes = room(one, sizeOf(values) + mostOf(body));
      const headers = putValues(bytes, values);
      const number = one.glue[call](at, headers, put(bytes, headers, body), now);
      return number === FAILED ? lastFailure(one) : read(one, number);
    });
  }
}

function keyOf(subtle: SubtleCrypto, secret: Secret): Promise<CryptoKey> {
  const bytes = typeof secret === 'string' ? encoder.encode(secret) : Uint8Array.from(secret);
  return subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

function verdict(one: Instance, stamp: number, secrets: readonly unknown[]): Verdict {
  const index = secrets.length > 1 ? one.glue['secret_index']() : 0;
  return index === 0 ? stamp : [stamp, index];
}

/** A signer of the core. */
export class NativeSigner {
  readonly #made: Made<Glue>;

  private constructor(made: Made<Glue>) {
    this.#made = made;
  }

  static create(scheme: string | SchemeParts, secrets: readonly Secret[]): Answer<NativeSigner> {
    const items = itemsOf(scheme, secrets);
    return enter((first) => new NativeSigner(new Made(first, (glue, one) => new glue['RawSigner'](putItems(one, items)))));
  }

  sign(body: Uint8Array, now: number | undefined): SignedParts {
    const headers = enter((one) => {
      const signer = this.#made.in(one);
      put(room(one, Math.max(body.length, 1)), 0, body);
      return signer['sign'](body.length, now ?? Date.now()) as string[];
    }) as string[];
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      pairs.push([headers[at]!, headers[at + 1]!]);
    }
    return { body: body.slice() as SignedParts['body'], headers: pairs };
  }
}

/** A store that claims are made in. */
export class NativeStore {
  readonly #made: Made<Glue>;

  private constructor(made: Made<Glue>) {
    this.#made = made;
  }

  static memory({ lease, retention, dangerousShortRetention, capacity }: StoreParts): Answer<NativeStore> {
    return enter((first) => new NativeStore(new Made(first, (glue) =>
      glue['RawStore'].memory(lease, retention, dangerousShortRetention, capacity))));
  }

  static of(verbs: (verb: string, key: string, epoch: number) => Promise<StoreAnswer>): NativeStore {
    const ask = async (verb: string, key: string, epoch: number) => {
      const { state, epoch: number, retryAfter, code } = await verbs(verb, key, epoch);
      return [state, state === 'error' ? code : state === 'fresh' ? number : retryAfter];
    };
    return enter((first) => new NativeStore(new Made(first, (glue) => glue['RawStore'].of(ask)))) as NativeStore;
  }

  /** Here a store connects to nothing before it is used. */
  async ready(): Promise<void> {}

  /** @internal */
  in(one: Instance): Glue {
    return this.#made.in(one);
  }

  get size(): number {
    return enter((one) => this.in(one)['size'] as number) as number;
  }

  get droppedEarly(): number {
    return enter((one) => this.in(one)['dropped_early'] as number) as number;
  }

  claim(key: string): Promise<Answer<StoreAnswer>> {
    return later((one) => this.in(one)['claim'](key) as Promise<[string, number]>, ([state, number]) =>
      state === 'fresh' ? { state, epoch: number } : { state, retryAfter: number });
  }

  commit(key: string, epoch: number): Promise<Answer<boolean>> {
    return this.#end('commit', key, epoch);
  }

  release(key: string, epoch: number): Promise<Answer<boolean>> {
    return this.#end('release', key, epoch);
  }

  renew(key: string, epoch: number): Promise<Answer<boolean>> {
    return this.#end('renew', key, epoch);
  }

  #end(verb: string, key: string, epoch: number): Promise<Answer<boolean>> {
    return later((one) => this.in(one)['end'](verb, key, epoch) as Promise<void>, () => true);
  }
}

type Told = [number, number | undefined, string, string | undefined];

function replyOf([status, retryAfter, outcome, code]: Told): ReplyParts {
  return { status, retryAfter, outcome, code } as ReplyParts;
}

/** A receiver of the core. */
export class NativeReceiver {
  readonly #made: Made<Glue>;

  private constructor(made: Made<Glue>) {
    this.#made = made;
  }

  static create(verifier: NativeVerifier, store: NativeStore, bodyLimit: number | undefined): Answer<NativeReceiver> {
    return enter((first) => new NativeReceiver(new Made(first, (glue, one) =>
      new glue['RawReceiver'](verifier.in(one), store.in(one), bodyLimit))));
  }

  get bodyLimit(): number {
    return enter((one) => this.#made.in(one)['body_limit'] as number) as number;
  }

  async begin(body: Uint8Array, values: string[][]): Promise<NativeWork | ReplyParts> {
    const begin = (one: Instance) => {
      const receiver = this.#made.in(one);
      const bytes = room(one, sizeOf(values) + body.length + 1);
      const headers = putValues(bytes, values);
      return receiver['begin'](headers, put(bytes, headers, body)) as Promise<Told | Glue>;
    };
    const begun = await later(begin, (value) => (Array.isArray(value) ? replyOf(value as unknown as Told) : new NativeWork(value as Glue)));
    return begun as NativeWork | ReplyParts;
  }

  bodyTooLarge(): ReplyParts {
    return enter((one) => replyOf(this.#made.in(one)['body_too_large']())) as ReplyParts;
  }

  bodyUnreadable(): ReplyParts {
    return enter((one) => replyOf(this.#made.in(one)['body_unreadable']())) as ReplyParts;
  }

  async backfill(key: string, handler: () => Promise<boolean>): Promise<OutcomeParts> {
    return later((one) => this.#made.in(one)['backfill'](key, handler) as Promise<Told>, replyOf) as Promise<OutcomeParts>;
  }
}

/** A genuine event that is the caller's to handle. */
export class NativeWork {
  readonly #raw: Glue;
  readonly #of: Instance;
  #taken = false;

  /** @internal */
  constructor(raw: Glue) {
    this.#raw = raw;
    this.#of = instance();
  }

  takeParts(): DeliveryParts | null {
    if (this.#taken) {
      return null;
    }
    this.#taken = true;
    const stamp = this.#raw['stamp'] as number;
    return {
      ...eventParts(this.#raw['line'] as string),
      ...(Number.isNaN(stamp) ? {} : { signedTimestamp: stamp }),
      secretIndex: this.#raw['secret_index'] as number,
    } as DeliveryParts;
  }

  done(): Promise<ReplyParts | null> {
    return this.#end(true);
  }

  release(): Promise<ReplyParts | null> {
    return this.#end(false);
  }

  #end(done: boolean): Promise<ReplyParts | null> {
    // Its instance has failed: the work ended with it, and the lease runs out.
    const end = (one: Instance) => (one === this.#of ? (this.#raw['end'](done) as Promise<Told | undefined>) : Promise.resolve(undefined));
    return later(end, (told) => (told === undefined ? null : replyOf(told))) as Promise<ReplyParts | null>;
  }
}

function eventParts(line: string): Pick<DeliveryParts, 'key' | 'eventType' | 'typeIsSigned'> {
  const key = line.lastIndexOf('\n') + 1;
  const eventType = line[0] === '0' ? {} : { eventType: line.slice(1, key - 1) };
  return { key: line.slice(key), ...eventType, typeIsSigned: line[0] !== '2' };
}

/** Ends the one call that it is given to. */
export class NativeCancel {
  #raw: Glue | undefined;
  #asked = false;

  /** @internal */
  in(one: Instance): Glue {
    this.#raw = new one.glue['RawCancel']() as Glue;
    if (this.#asked) {
      this.#raw['cancel']();
    }
    return this.#raw;
  }

  cancel(): void {
    this.#asked = true;
    this.#raw?.['cancel']();
  }
}

function ended(one: Instance, cancel: NativeCancel | undefined): Glue {
  return (cancel ?? new NativeCancel()).in(one);
}

type Page = [string, number, string | undefined];

function textOf([text, count, nextCursor]: Page): EventsText {
  return { text, count, nextCursor } as EventsText;
}

/** A client of the audit API. */
export class NativeHealth {
  readonly #made: Made<Glue>;

  private constructor(made: Made<Glue>) {
    this.#made = made;
  }

  static create(apiKey: string, parts: ClientParts): Answer<NativeHealth> {
    if (parts.proxy !== undefined) {
      return { failure: 'velora', code: 'invalid_option', message: 'proxy cannot be set: the host sends' } as Failure;
    }
    const timeout = timeoutOf(parts);
    if (timeout === undefined) {
      const message = 'a timeout is not a number of seconds, zero or more';
      return { failure: 'velora', code: 'invalid_option', message } as Failure;
    }
    return enter((first) => new NativeHealth(new Made(first, (glue) => {
      const options = new glue['RawOptions']() as Glue;
      options['base_url'] = parts.baseUrl;
      options['attempts'] = parts.attempts;
      options['backoff_base'] = parts.backoff?.[0];
      options['backoff_max'] = parts.backoff?.[1];
      options['max_retry_delay'] = parts.maxRetryDelay;
      options['call_timeout'] = parts.callTimeout;
      options['max_response_bytes'] = parts.maxResponseBytes;
      return new glue['RawHealth'](apiKey, options, host(timeout.answer, timeout.read));
    })));
  }

  rateLimit(): RateLimitParts {
    const [limit, remaining, reset, retryAt] = enter((one) => this.#made.in(one)['rate_limit']()) as any[];
    return { limit, remaining, reset, retryAt };
  }

  probe(cancel?: NativeCancel): Promise<Answer<void>> {
    return later((one) => this.#made.in(one)['probe'](ended(one, cancel)) as Promise<void>, () => undefined);
  }

  events({ action, resourceType, phiInvolved, since, until, limit }: EventQueryParts): Answer<NativeEventPages> {
    return enter((one) => new NativeEventPages(one, this.#made.in(one)['events'](action, resourceType, phiInvolved, since, until, limit)));
  }

  event(id: string, cancel?: NativeCancel): Promise<Answer<string>> {
    return later((one) => this.#made.in(one)['event'](id, ended(one, cancel)) as Promise<string>, (raw) => raw);
  }

  export({ since, until, phiInvolved, concurrency }: ExportQueryParts, progress?: (parts: ProgressParts) => void): Answer<NativeExport> {
    const tell = progress && ((json: string) => progress(JSON.parse(json) as ProgressParts));
    return enter((one) => new NativeExport(one, this.#made.in(one)['export'](since, until, phiInvolved, concurrency, tell)));
  }

  exportOnce({ since, until, phiInvolved }: ExportQueryParts, cancel?: NativeCancel): Promise<Answer<ExportedOnceParts>> {
    const call = (one: Instance) => this.#made.in(one)['export_once'](since, until, phiInvolved, ended(one, cancel)) as Promise<[string, Page]>;
    return later(call, ([truncation, page]) => ({ truncation, ...textOf(page) }) as ExportedOnceParts);
  }

  /** There are no files here. */
  async exportToFile(..._: unknown[]): Promise<Answer<ManifestParts>> {
    return { failure: 'velora', code: 'file_unusable', message: 'there are no files on this host: use export().toReadableStream()' } as Failure;
  }

  createWebhook(url: string, eventFilter?: string[], description?: string, cancel?: NativeCancel): Promise<Answer<HealthRegistration>> {
    const call = (one: Instance) => this.#made.in(one)['create_webhook'](url, eventFilter ?? [], description, ended(one, cancel)) as Promise<[string, string]>;
    return later(call, ([endpoint, secret]) => ({ endpoint: JSON.parse(endpoint) as HealthEndpoint, secret }));
  }

  listWebhooks(cancel?: NativeCancel): Promise<Answer<HealthEndpoint[]>> {
    return later((one) => this.#made.in(one)['list_webhooks'](ended(one, cancel)) as Promise<string>, (json) => JSON.parse(json) as HealthEndpoint[]);
  }

  disableWebhook(id: string, cancel?: NativeCancel): Promise<Answer<void>> {
    return later((one) => this.#made.in(one)['end_webhook'](id, false, ended(one, cancel)) as Promise<void>, () => undefined);
  }

  deleteWebhook(id: string, cancel?: NativeCancel): Promise<Answer<void>> {
    return later((one) => this.#made.in(one)['end_webhook'](id, true, ended(one, cancel)) as Promise<void>, () => undefined);
  }
}

/** The longest waits for the head of an answer and for its next bytes, in milliseconds. */
function timeoutOf({ connectTimeout = 10, readTimeout = 30 }: ClientParts): { answer: number; read: number } | undefined {
  if (!(connectTimeout >= 0 && readTimeout >= 0)) {
    return undefined;
  }
  return { answer: (connectTimeout + readTimeout) * 1e3, read: readTimeout * 1e3 };
}

class Stream {
  readonly #raw: Glue;
  readonly #of: Instance;

  constructor(one: Instance, raw: Glue) {
    this.#of = one;
    this.#raw = raw;
  }

  next(cancel?: NativeCancel): Promise<Answer<EventsText | null>> {
    const next = (one: Instance) => {
      if (one !== this.#of) {
        throw 'api\nconnection\n' + JSON.stringify({ message: 'the module failed while it was read', attempts: 0, isRetryable: true, issues: [], raw: '' });
      }
      return this.#raw['next'](ended(one, cancel)) as Promise<Page | undefined>;
    };
    return later(next, (page) => (page === undefined ? null : textOf(page)));
  }

  async close(): Promise<void> {
    if (instance() === this.#of) {
      this.#raw['close']();
    }
  }
}

/** Pages of events. */
export class NativeEventPages extends Stream {}

/** The rows of an export. */
export class NativeExport extends Stream {}

/** The key of a listed event, given in JSON: that of its delivery. */
export function keyOfEvent(json: string): string | undefined {
  return enter((one) => one.glue['key_of_event'](json) as string | undefined) as string | undefined;
}

/** There are no files here. */
export async function readManifest(_path: string, _verify: boolean): Promise<Answer<ManifestParts>> {
  return { failure: 'velora', code: 'file_unusable', message: 'there are no files on this host' } as Failure;
}
