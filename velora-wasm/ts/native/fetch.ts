/** The host's `fetch` and its timers, as the core asks for them. */

import { itemBytes, itemsOf, numbersOf, wholeOf, type Item } from './frame.js';
import { answer, giveUp, later, learn } from './tasks.js';
import type { Instance } from './instance.js';
import { rawBytes } from '../body.js';
import { utf8Text } from '../host.js';

/** The tags of the module's requests: see `task.rs`. */
const WAIT = 3;
const SEND = 4;
const READ = 5;
/** The length of the asking task's number, which comes first. */
const TASK = 4;
/** The outcomes: see `client/host.rs`. */
const OK = 0;
const END = 1;
const TIMEOUT = 2;
const FAULT = 3;
/** The longest time that a host's timer can wait. */
const LONGEST = 0x7fff_ffff;

/** How late a host's timer can be, in milliseconds, while its request lives. */
const LATE = 30_000;

/** `later` for calls that send. Some hosts have no random numbers until a request is handled. */
export const sending: typeof later = (start, ...rest) =>
  later((one) => {
    if (!exchanges.has(one)) {
      const [high, low] = crypto.getRandomValues(new Uint32Array(2));
      one.exports['seed']!(high!, low!);
      learn(WAIT, wait);
      learn(SEND, send);
      learn(READ, read);
      exchanges.set(one, new Map());
      awaited.set(one, new Map());
    }
    giveUpLost(one);
    return start(one);
  }, ...rest);

/** By when the host must answer each of the module's requests, and the task that asked. */
const awaited = new WeakMap<Instance, Map<number, readonly [until: number, task: number]>>();

/**
 * Ends tasks whose answers are lost: once a worker's request is over, its fetches and timers
 * never answer, and nothing reports that.
 */
function giveUpLost(one: Instance): void {
  const now = performance.now();
  for (const [number, [until, task]] of awaited.get(one)!) {
    if (until < now) {
      awaited.get(one)!.delete(number);
      giveUp(one, task);
    }
  }
}

/** Notes a request, and the task that asks, which comes first in the bytes. */
function asked(one: Instance, number: number, bytes: Uint8Array, milliseconds: number): void {
  awaited.get(one)!.set(number, [performance.now() + milliseconds + LATE, wholeOf(bytes)]);
}

function answered(one: Instance, number: number, outcome: number, bytes?: string | Uint8Array): void {
  awaited.get(one)!.delete(number);
  answer(one, number, outcome, bytes);
}

function wait(one: Instance, number: number, bytes: Uint8Array): void {
  const [[given]] = numbersOf(bytes.subarray(TASK), 1);
  const milliseconds = Math.min(given!, LONGEST);
  asked(one, number, bytes, milliseconds);
  const timer = setTimeout(() => {
    one.chores.delete(number);
    answered(one, number, OK);
  }, milliseconds);
  one.chores.set(number, () => {
    awaited.get(one)!.delete(number);
    clearTimeout(timer);
  });
}

interface Exchange {
  readonly end: AbortController;
  readonly readTimeout: number;
  reader?: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Limits what is waited for. */
  timer?: ReturnType<typeof setTimeout>;
}

/** The HTTP requests in progress, by the numbers of the module's requests. */
const exchanges = new WeakMap<Instance, Map<number, Exchange>>();

async function send(one: Instance, number: number, bytes: Uint8Array): Promise<void> {
  const [[answerTimeout, readTimeout], items] = numbersOf(bytes.subarray(TASK), 2);
  asked(one, number, bytes, answerTimeout!);
  const exchange: Exchange = { end: new AbortController(), readTimeout: readTimeout! };
  const under = exchanges.get(one)!.set(number, exchange);
  one.chores.set(number, () => {
    under.delete(number);
    awaited.get(one)!.delete(number);
    exchange.end.abort();
    exchange.reader?.cancel().catch(() => {});
    // A `fetch` that ignores its signal never settles.
    clearTimeout(exchange.timer);
  });
  try {
    const [url, request] = requestOf(items);
    // Redirects are not followed: a redirect is a response like any other.
    const sent = fetch(url, { redirect: 'manual', signal: exchange.end.signal, ...request });
    const response = await within(exchange, answerTimeout!, sent);
    exchange.reader = response.body?.getReader();
    answered(one, number, OK, headOf(response, url));
  } catch (error) {
    answered(one, number, error === TIMEOUT ? TIMEOUT : FAULT);
  }
}

async function read(one: Instance, number: number, bytes: Uint8Array): Promise<void> {
  const exchange = exchanges.get(one)!.get(wholeOf(bytes.subarray(TASK)));
  asked(one, number, bytes, exchange?.readTimeout ?? 0);
  try {
    const step = exchange?.reader && (await within(exchange, exchange.readTimeout, exchange.reader.read()));
    if (step && !step.done) {
      answered(one, number, OK, rawBytes(step.value));
    } else {
      answered(one, number, END);
    }
  } catch (error) {
    answered(one, number, error === TIMEOUT ? TIMEOUT : FAULT);
  }
}

/** The items of a request, and of the head of its response: see `client/host.rs`. */
const METHOD = 0;
const URL = 1;
const BODY = 2;
const NAME = 3;
const VALUE = 4;
const STATUS = 5;
const UNFRAMED = 6;

function requestOf(items: Uint8Array): [url: string, request: RequestInit] {
  // A host's decoder may accept a truncated body as complete.
  const headers: [string, string][] = [['accept-encoding', 'identity']];
  const request: RequestInit = { headers };
  let url = '';
  for (const [tag, value] of itemsOf(items)) {
    if (tag === BODY) {
      request.body = value as Uint8Array<ArrayBuffer>;
      continue;
    }
    const text = utf8Text(value);
    if (tag === METHOD) {
      request.method = text;
    } else if (tag === URL) {
      url = text;
    } else if (tag === NAME) {
      headers.push([text, '']);
    } else {
      headers.at(-1)![1] = text;
    }
  }
  return [url, request];
}

function headOf({ headers, status, type }: Response, url: string): Uint8Array {
  // A browser hides a redirect's status and its target.
  const shown = type === 'opaqueredirect' ? 302 : status;
  const items: Item[] = [[STATUS, Uint8Array.of(shown, shown >> 8)]];
  headers.forEach((value, name) => items.push([NAME, name], [VALUE, value]));
  if (!isFramed(headers, url)) {
    items.push([UNFRAMED, '']);
  }
  return itemBytes(items);
}

/**
 * Whether the end that the host reports is the end of the body. Every host checks a body's
 * `Content-Length`. But if the connection was to be closed, some accept its end in place of the
 * last chunk, and some accept a truncated compressed body as complete. HTTP/2, which is used only
 * over `https` and has neither codings nor such connections, marks the end of each body itself.
 */
function isFramed(headers: Headers, url: string): boolean {
  if (!/^(identity)?$/i.test(headers.get('content-encoding') ?? '')) {
    return false;
  }
  const codings = headers.get('transfer-encoding');
  if (codings === null && headers.has('content-length')) {
    return true;
  }
  // Such hosts obey either header.
  const closes = /\bclose\b/i.test([headers.get('connection'), headers.get('proxy-connection')].join());
  return !closes && (codings === null ? /^https:/i : /(^|,)\s*chunked$/i).test(codings ?? url);
}

function within<T>(exchange: Exchange, milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(TIMEOUT), Math.min(milliseconds, LONGEST));
    exchange.timer = timer;
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
