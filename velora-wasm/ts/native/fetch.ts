/** The host's `fetch` and its timers, as the core asks for them. */

/** What a call that took too long rejects with. */
const TIMEOUT = 'timeout';
/** What a timer of a host can wait at most. */
const LONGEST = 0x7fff_ffff;

/** How long the head of an answer and its next bytes are waited for, in milliseconds. */
export function host(answerTimeout: number, readTimeout: number): object {
  return {
    sleep: (milliseconds: number) => new Timer(milliseconds),
    send: (method: string, url: string, headers: string[], body: Uint8Array | undefined) =>
      new Exchange(url, { method, headers: pairs(headers), ...(body && { body: body as Uint8Array<ArrayBuffer> }) }, answerTimeout, readTimeout),
  };
}

class Timer {
  readonly #over: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(milliseconds: number) {
    this.#over = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, Math.min(milliseconds, LONGEST));
    });
  }

  over(): Promise<void> {
    return this.#over;
  }

  giveUp(): void {
    clearTimeout(this.#timer);
  }
}

class Exchange {
  readonly #end = new AbortController();
  readonly #readTimeout: number;
  readonly #answer: Promise<Response>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(url: string, request: RequestInit, answerTimeout: number, readTimeout: number) {
    this.#readTimeout = readTimeout;
    // Cookies and caches are a browser's: the key is all that is sent, and all is fetched.
    const sent = { redirect: 'manual', signal: this.#end.signal, ...request } as RequestInit;
    this.#answer = within(answerTimeout, Promise.resolve().then(() => fetch(url, sent)));
    // Whoever gives it up does not wait for it.
    this.#answer.catch(() => {});
  }

  async answer(): Promise<{ status: number; headers: string[]; framed: boolean }> {
    const response = await this.#answer;
    this.#reader = response.body?.getReader();
    const { headers, url } = response;
    return {
      // A browser hides where a redirect leads, and that it is one.
      status: response.type === 'opaqueredirect' ? 302 : response.status,
      headers: [...headers].flat(),
      // HTTP/2 announces an end with every body; the host does not say what it spoke.
      framed: url.startsWith('https:') || ['content-length', 'transfer-encoding', 'content-encoding'].some((name) => headers.has(name)),
    };
  }

  /** Undefined at the end. */
  async chunk(): Promise<Uint8Array | undefined> {
    return (await within(this.#readTimeout, this.#reader?.read() ?? Promise.resolve(undefined)))?.value;
  }

  cancel(): void {
    this.#end.abort();
    this.#reader?.cancel().catch(() => {});
  }
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(TIMEOUT), Math.min(milliseconds, LONGEST));
    work.then(resolve, () => reject('connection')).finally(() => clearTimeout(timer));
  });
}

function pairs(texts: string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < texts.length; at += 2) {
    pairs.push([texts[at]!, texts[at + 1]!]);
  }
  return pairs;
}
