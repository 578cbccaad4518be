/** The client of the audit API. */

import type {
  ClientParts, EventQueryParts, EventsText, ExportedOnceParts, ExportQueryParts, Failure, HealthEndpoint,
  HealthRegistration, PageParts, ProgressParts, RateLimitParts,
} from './types.js';
import { doubleBytes, itemsOf, numbersOf, putAlone, putItems, said, saidText, type Item } from './frame.js';
import { enter, FAILED, taken } from './calls.js';
import { Held, Made } from './held.js';
import { learn, NativeCancel } from './tasks.js';
import { apiFailureOf, lastFailure, learnFailure } from './failures.js';
import { instance, type Instance } from './instance.js';
import { sending } from './fetch.js';
import { utf8Text } from '../host.js';

type Answer<T> = T | Failure;

learnFailure('api', apiFailureOf);

const PROGRESS = 6;

/** The values that are given, tagged with their places; numbers are eight bytes. */
function itemsAt(...values: (string | number | boolean | undefined)[]): Item[] {
  const items: Item[] = [];
  values.forEach((value, tag) => {
    if (value !== undefined) {
      items.push([tag, typeof value === 'string' ? value : doubleBytes(Number(value))]);
    }
  });
  return items;
}

const invalidOption = (message: string) => ({ failure: 'config', code: 'invalid_option', message }) as Failure;

/** An instant in milliseconds, as text. */
function instantText(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

/** A client of the audit API. */
export class NativeHealth {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static create(apiKey: string, parts: ClientParts): Answer<NativeHealth> {
    if (parts.proxy !== undefined) {
      return invalidOption('proxy cannot be set: the host sends');
    }
    const { baseUrl, attempts, backoff, maxRetryDelay, callTimeout, maxResponseBytes, connectTimeout, readTimeout } = parts;
    const items = [
      ...itemsAt(apiKey, baseUrl, attempts, undefined, maxRetryDelay, callTimeout, maxResponseBytes, connectTimeout, readTimeout),
      ...(backoff ?? []).map((seconds): Item => [3, doubleBytes(seconds)]),
    ];
    return new NativeHealth(new Made((one) => one.exports['health_client']!(putItems(one, items))));
  }

  get baseUrl(): string {
    return enter((one) => {
      one.exports['base_url']!(this.#made.in(one));
      return saidText(one);
    });
  }

  rateLimit(): RateLimitParts {
    const [[limit, remaining, reset, retryAt]] = enter((one) => {
      one.exports['rate_limit']!(this.#made.in(one));
      return numbersOf(said(one), 4);
    });
    return { limit, remaining, reset: instantText(reset), retryAt: instantText(retryAt) } as RateLimitParts;
  }

  probe(cancel?: NativeCancel): Promise<Answer<void>> {
    return sending((one) => one.exports['probe']!(this.#made.in(one)), () => undefined, cancel);
  }

  events({ action, resourceType, phiInvolved, since, until, limit, cursor }: EventQueryParts): Answer<NativeEventPages> {
    return this.#opened('events_pages', itemsAt(action, resourceType, phiInvolved, since, until, limit, cursor), NativeEventPages);
  }

  event(id: string, cancel?: NativeCancel): Promise<Answer<string>> {
    return this.#asked('event', id, utf8Text, cancel);
  }

  export(query: ExportQueryParts, progress?: (parts: ProgressParts) => void): Answer<NativeExport> {
    learn(PROGRESS, report);
    const number = progress && (told += 1);
    const opened = this.#opened('export', exportItems(query, number), NativeExport);
    if (opened instanceof NativeExport) {
      opened.teller = progress && [number!, progress];
    }
    return opened;
  }

  exportOnce(query: ExportQueryParts, cancel?: NativeCancel): Promise<Answer<ExportedOnceParts>> {
    const start = (one: Instance) => {
      const at = this.#made.in(one);
      return one.exports['export_once']!(at, putItems(one, exportItems(query)));
    };
    const read = (bytes: Uint8Array) => {
      const [[truncation]] = numbersOf(bytes, 1);
      return { truncation: ['yes', 'no', 'unknown'][truncation!], ...pageOf(bytes) } as ExportedOnceParts;
    };
    return sending(start, read, cancel);
  }

  createWebhook(url: string, eventFilter?: string[], description?: string, cancel?: NativeCancel): Promise<Answer<HealthRegistration>> {
    const items: Item[] = [[2, url], ...(eventFilter ?? []).map((prefix): Item => [3, prefix])];
    if (description !== undefined) {
      items.push([4, description]);
    }
    const start = (one: Instance) => {
      const at = this.#made.in(one);
      return one.exports['create_webhook']!(at, putItems(one, items));
    };
    const read = (bytes: Uint8Array) => {
      const [endpoint] = endpointsOf(bytes);
      return { endpoint, secret: endpoint!.secret } as HealthRegistration;
    };
    return sending(start, read, cancel);
  }

  listWebhooks(cancel?: NativeCancel): Promise<Answer<HealthEndpoint[]>> {
    return sending((one) => one.exports['list_webhooks']!(this.#made.in(one)), endpointsOf, cancel);
  }

  disableWebhook(id: string, cancel?: NativeCancel): Promise<Answer<void>> {
    return this.#asked('end_webhook', id, () => undefined, cancel, 0);
  }

  deleteWebhook(id: string, cancel?: NativeCancel): Promise<Answer<void>> {
    return this.#asked('end_webhook', id, () => undefined, cancel, 1);
  }

  #asked<T>(call: string, id: string, read: (bytes: Uint8Array) => T, cancel: NativeCancel | undefined, option = 0): Promise<Answer<T>> {
    return sending((one) => {
      const at = this.#made.in(one);
      return one.exports[call]!(at, putAlone(one, id), option);
    }, read, cancel);
  }

  #opened<S>(call: string, items: Item[], Stream: new (held: Held) => S): Answer<S> {
    return enter((one) => {
      const client = this.#made.in(one);
      const at = one.exports[call]!(client, putItems(one, items));
      return at === FAILED ? lastFailure(one) : new Stream(new Held(one, at));
    });
  }
}

function exportItems({ since, until, phiInvolved, concurrency }: ExportQueryParts, progress?: number): Item[] {
  return itemsAt(undefined, undefined, phiInvolved, since, until, undefined, undefined, concurrency, progress);
}

/** The progress callbacks of running exports, by the numbers that the module has for them. */
const tellers = new Map<number, (parts: ProgressParts) => void>();
let told = 0;

function report(_: Instance, number: number, bytes: Uint8Array): void {
  const [[since, until, doneUntil, rows, leaves, calls]] = numbersOf(bytes, 6);
  const times = { since: instantText(since), until: instantText(until), doneUntil: instantText(doneUntil) };
  tellers.get(number)?.({ ...times, rows, leaves, calls } as ProgressParts);
}

/** Reads several events: see `client/streams.rs`. */
function pageOf(bytes: Uint8Array): PageParts {
  const [[, count], items] = numbersOf(bytes, 2);
  const [text, nextCursor] = itemsOf(items).map(([, value]) => utf8Text(value));
  return { events: { text, count }, nextCursor } as PageParts;
}

/** Reads endpoints: see `client/webhooks.rs`. */
function endpointsOf(bytes: Uint8Array): (HealthEndpoint & { secret?: string })[] {
  const endpoints: any[] = [];
  for (const [tag, value] of itemsOf(bytes)) {
    if (tag === 0) {
      const [[active, consecutiveFailures, lastDeliveryAt, createdAt, failing]] = numbersOf(value, 5);
      endpoints.push({
        eventFilter: [], active: active === undefined ? undefined : active === 1, consecutiveFailures,
        lastDeliveryAt: instantText(lastDeliveryAt), createdAt: instantText(createdAt), isFailing: failing === 1,
      });
    } else {
      const text = utf8Text(value);
      const endpoint = endpoints.at(-1);
      if (tag === 3) {
        endpoint.eventFilter.push(text);
      } else {
        endpoint[['', 'id', 'url', '', 'description', 'secret'][tag]!] = text;
      }
    }
  }
  return endpoints;
}

abstract class Stream<T> {
  readonly #of = instance();
  #held: Held | undefined;
  /** Cancels the request in progress. */
  #asking: NativeCancel | undefined;

  constructor(held: Held) {
    this.#held = held;
  }

  protected abstract readonly call: string;
  protected abstract read(page: PageParts): T;

  async next(cancel?: NativeCancel): Promise<Answer<T | null>> {
    const at = this.#held?.at;
    if (at === undefined) {
      return null;
    }
    if (instance() !== this.#of) {
      const api = { attempts: 0, isRetryable: true, issues: [], raw: '' };
      return { failure: 'api', code: 'connection', message: 'the module failed while it was read', api } as Failure;
    }
    const asking = (this.#asking = cancel ?? new NativeCancel());
    const read = (bytes: Uint8Array) => (bytes.length === 0 ? null : this.read(pageOf(bytes)));
    const given = await sending((one) => one.exports[this.call]!(at), read, asking);
    return this.#held === undefined ? null : given;
  }

  /** Does not wait for a request in progress, which is cancelled and yields nothing. */
  async close(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    this.#asking?.cancel();
    held?.letGo();
  }
}

/** Pages of events. */
export class NativeEventPages extends Stream<PageParts> {
  protected readonly call = 'next_page';

  protected read(page: PageParts): PageParts {
    return page;
  }
}

/** The rows of an export. */
export class NativeExport extends Stream<EventsText> {
  protected readonly call = 'next_rows';
  /** The progress callback, and the module's number for it. */
  teller: [number: number, tell: (parts: ProgressParts) => void] | undefined;

  protected read(page: PageParts): EventsText {
    return page.events;
  }

  override async next(cancel?: NativeCancel): Promise<Answer<EventsText | null>> {
    if (this.teller === undefined) {
      return super.next(cancel);
    }
    const [number, tell] = this.teller;
    tellers.set(number, tell);
    return super.next(cancel).finally(() => tellers.delete(number));
  }
}

/** An event's text on one line. */
export function lineOfEvent(json: string): string {
  return enter((one) => {
    taken(one, one.exports['line_of_event']!(putAlone(one, json)));
    return saidText(one);
  });
}

/** Whether a text is an instant. */
export function isInstant(text: string): boolean {
  return enter((one) => one.exports['is_instant']!(putAlone(one, text)) === 1);
}

/** The key of a listed event, given in JSON. Its delivery has the same key. */
export function keyOfEvent(json: string): string | undefined {
  return asked('key_of_event', json);
}

/** The `details` of a listed event, in JSON. */
export function detailsOfEvent(json: string): string | undefined {
  return asked('json_of_event', json, 0);
}

/** The `fields_accessed` of a listed event, in JSON. */
export function fieldsAccessedOfEvent(json: string): string | undefined {
  return asked('json_of_event', json, 1);
}

function asked(call: string, json: string, option = 0): string | undefined {
  const told = enter((one) => {
    one.exports[call]!(putAlone(one, json), option);
    return saidText(one);
  });
  return told || undefined;
}
