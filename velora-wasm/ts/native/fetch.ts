/** The host's `fetch` and its timers, as the core asks for them. */

import { itemBytes, itemsOf, numbersOf, wholeOf, type Item } from './frame.js';
import { answer, giveUp, later, learn } from './tasks.js';
import type { Instance } from './instance.js';
import { rawBytes } from '../body.js';
import { utf8Text } from '../host.js';

/** What the module asks for: see `task.rs`. */
const WAIT = 3;
const SEND = 4;
const READ = 5;
/** The bytes of the number of the task that asks, which come first. */
const TASK = 4;
/** What became of it: see `client/host.rs`. */
const OK = 0;
const END = 1;
const TIMEOUT = 2;
const FAULT = 3;
/** What a timer of a host can wait at most. */
const LONGEST = 0x7fff_ffff;

/** How late a timer of a host can be, in milliseconds, while what it belongs to lives. */
const LATE = 30_000;

/** `later` for what sends. No sooner than it is called are there random numbers on every host. */
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

/** Until when the host is to answer what it was asked for, and the task that asked. */
const awaited = new WeakMap<Instance, Map<number, readonly [until: number, task: number]>>();

/**
 * A worker's request that is over takes along what it has under way: neither its fetches nor its
 * timers ever answer, and nothing says so.
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

/** Notes what is asked for, by the task that stands first in the bytes. */
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
}

/** The requests under way, by the numbers that they were asked for under. */
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
  });
  try {
    const [url, request] = requestOf(items);
    // Only what was asked for is sent, and a redirect is an answer.
    const sent = fetch(url, { redirect: 'manual', signal: exchange.end.signal, ...request });
    const response = await within(answerTimeout!, sent);
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
    const step = exchange?.reader && (await within(exchange.readTimeout, exchange.reader.read()));
    if (step && !step.done) {
      answered(one, number, OK, rawBytes(step.value));
    } else {
      answered(one, number, END);
    }
  } catch (error) {
    answered(one, number, error === TIMEOUT ? TIMEOUT : FAULT);
  }
}

/** The items of a request, and of the head of its answer: see `client/host.rs`. */
const METHOD = 0;
const URL = 1;
const BODY = 2;
const NAME = 3;
const VALUE = 4;
const STATUS = 5;
const UNFRAMED = 6;

function requestOf(items: Uint8Array): [url: string, request: RequestInit] {
  // A host's decoder may take what was cut for whole.
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
  // A browser hides where a redirect leads, and that it is one.
  const shown = type === 'opaqueredirect' ? 302 : status;
  const items: Item[] = [[STATUS, Uint8Array.of(shown, shown >> 8)]];
  headers.forEach((value, name) => items.push([NAME, name], [VALUE, value]));
  if (!isFramed(headers, url)) {
    items.push([UNFRAMED, '']);
  }
  return itemBytes(items);
}

/**
 * Whether the end that the host tells of is that of the body. Every host holds a body to its
 * length; some take the end of a connection that was to be closed for the last chunk, and some
 * what is left of a compressed body for a whole one. HTTP/2, which is spoken over `https` alone
 * and has neither codings nor such connections, marks the end of each body by itself.
 */
function isFramed(headers: Headers, url: string): boolean {
  if (!/^(identity)?$/i.test(headers.get('content-encoding') ?? '')) {
    return false;
  }
  const codings = headers.get('transfer-encoding');
  if (codings === null && headers.has('content-length')) {
    return true;
  }
  // Such hosts take either name for it.
  const closes = /\bclose\b/i.test([headers.get('connection'), headers.get('proxy-connection')].join());
  return !closes && (codings === null ? /^https:/i : /(^|,)\s*chunked$/i).test(codings ?? url);
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(TIMEOUT), Math.min(milliseconds, LONGEST));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
