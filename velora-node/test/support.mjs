// The simulator of the four systems, the servers of durable stores, and what more than one test needs.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// What the tests start prints without colours, knows no database of the user's, and asks no
// proxy for what is on this host.
for (const name of Object.keys(process.env)) {
  if (name === 'FORCE_COLOR' || name.startsWith('PG')) {
    delete process.env[name];
  }
}
Object.assign(process.env, { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' });

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const SECRET = '0123456789abcdef'.repeat(4);
export const HEALTH_KEY = 'vlk_live_00000001_0123456789abcdef0123456789abcdef';
export const SINCE = '2026-05-01T00:00:00Z';
export const UNTIL = '2026-05-08T00:00:00Z';
export const WEEK = { since: SINCE, until: UNTIL };

const PROGRAM = process.env.VELORA_SIMULATOR ?? join(ROOT, 'target/debug/velora-simulator');
const SERVERS = process.env.VELORA_SERVERS ?? join(ROOT, 'target/debug/velora-servers');

const endings = new WeakMap();

/** Calls this after the test: what began last ends first, and the next one waits for it. */
export function finallyDo(context, end) {
  const ends = endings.get(context) ?? [];
  if (ends.push(end) > 1) {
    return;
  }
  endings.set(context, ends);
  context.after(async () => {
    const errors = [];
    while (ends.length > 0) {
      try {
        await ends.pop()();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw errors[0];
    }
  });
}

/** A simulator that ends with the test. */
export async function simulate(context, ...args) {
  const program = spawn(PROGRAM, ['--until-stdin-ends', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  finallyDo(context, () => program.stdin.end());
  for await (const line of createInterface({ input: program.stdout })) {
    return new Simulator(line.replace('listening on ', ''));
  }
  throw new Error('the simulator did not start');
}

/** A PostgreSQL and a Redis; each starts when a place in it is first asked for. */
export function servers() {
  const program = spawn(SERVERS, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  let last = Promise.resolve();
  return {
    /** The URL of an empty place. */
    url: (kind) => {
      last = last.then(async () => {
        program.stdin.write(`${kind}\n`);
        const { value, done } = await lines.next();
        if (done) {
          throw new Error('the servers could not be started');
        }
        return value;
      });
      return last;
    },
    end: () => program.stdin.end(),
  };
}

class Simulator {
  constructor(url) {
    this.url = url;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.url}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${text}`);
    }
    return text;
  }

  async arm(fault) {
    await this.ask('POST', 'faults', { path: '*', ...fault });
  }

  async calm() {
    await this.ask('DELETE', 'faults');
  }

  async truth(what, query = {}) {
    const filter = new URLSearchParams({ since: SINCE, until: UNTIL, give: what, ...query });
    const text = await this.ask('GET', `truth?${filter}`);
    return text.split('\n').filter((line) => line !== '');
  }

  async requests(path = '/') {
    return JSON.parse(await this.ask('GET', `requests?path=${encodeURIComponent(path)}`));
  }
}

/** The blocks of a README that are JavaScript. */
export const blocks = (file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block);

/** Asserts that these modules are ones of a strict TypeScript too, but for the types of their own functions. */
export function holdsToTypes(folder, modules, more = {}) {
  const inside = mkdtempSync(join(ROOT, folder, 'target-types-'));
  const compilerOptions = {
    strict: true, noImplicitAny: false, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
    target: 'es2022', module: 'nodenext', lib: ['es2022', 'esnext.disposable', 'dom', 'dom.asynciterable'], types: ['node'], ...more,
  };
  try {
    modules.forEach((text, at) => writeFileSync(join(inside, `${at}.mts`), text));
    writeFileSync(join(inside, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    const { status, stdout } = spawnSync(join(ROOT, folder, 'node_modules/.bin/tsc'), ['--project', inside]);
    assert.equal(status, 0, stdout.toString());
  } finally {
    rmSync(inside, { recursive: true });
  }
}

/**
 * Asserts that what npm would publish of these folders has the licences in it, and a README of
 * which no link leads out of it.
 */
export function licensed(...folders) {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', ...folders.map((folder) => `./${folder}`)];
  const packed = JSON.parse(execFileSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] }));
  assert.equal(packed.length, folders.length);
  for (const folder of folders) {
    assert.doesNotMatch(readFileSync(join(ROOT, folder, 'README.md'), 'utf8'), /\]\((?!https:)/, folder);
  }
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    const { size } = statSync(join(ROOT, licence));
    for (const { name, files } of packed) {
      assert.equal(files.find(({ path }) => path === licence)?.size, size, name);
    }
  }
}

/** Asserts that the command of a package says how it is used, and refuses what it would not look at. */
export function saysUsage(language) {
  const ask = (...args) => {
    const command = [join(ROOT, 'conformance', language, 'main.mjs'), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { input: '', encoding: 'utf8' });
    return [status, /^usage: .*verify/m.test(stdout), /^usage: .*verify/m.test(stderr)];
  };
  for (const args of [['--help'], ['-h'], ['verify', '--help'], ['export', '--help']]) {
    assert.deepEqual(ask(...args), [0, true, false], args.join(' '));
  }
  for (const args of [[], ['toString'], ['--verify'], ['verify', 'more'], ['event', '--now'], ['key', '']]) {
    assert.deepEqual(ask(...args), [2, false, true], args.join(' '));
  }
}

/** A folder of its own that is gone after the test. */
export function temporary(context, prefix = join(tmpdir(), 'velora-')) {
  const folder = mkdtempSync(prefix);
  finallyDo(context, () => remove(folder));
  return folder;
}

/** Removes a folder. What was ended early may still be at its last write. */
export async function remove(folder) {
  for (let left = 100; ; left -= 1) {
    try {
      return rmSync(folder, { recursive: true });
    } catch (error) {
      if (left === 0) {
        throw error;
      }
    }
    await sleep(50);
  }
}

/** A server of `node:http` on a free port, until the test ends; gives its URL. */
export async function serve(context, handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  finallyDo(context, () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** The class of each code that is thrown: the errors of the core. */
export const CLASSES = new Map(['Config', 'Verification', 'Store', 'File', 'Api'].flatMap((kind) => {
  const source = (name) => readFileSync(join(ROOT, `velora-core/src/error/${name}.rs`), 'utf8');
  const texts = new Map([...source('code').matchAll(/(\w+) = "(\w+)"/g)].map(([, code, text]) => [code, text]));
  return [...source(kind.toLowerCase()).matchAll(/=> Code::(\w+)/g)].map(([, code]) => [texts.get(code), `${kind}Error`]);
}));

/** The code of what a call throws or rejects with, which is of the class of that code. */
export async function codeOf(call) {
  try {
    await call();
  } catch (error) {
    if (CLASSES.has(error?.code)) {
      assert.deepEqual([error.code, error.name], [error.code, CLASSES.get(error.code)], call.toString());
    }
    return error.code ?? error;
  }
  return 'nothing was thrown';
}

/** A program of Node's that ends with the test: what it prints, and how it ended. */
export function run(context, args, environment = {}, options = {}) {
  const program = spawn(process.execPath, args, {
    env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'], ...options,
  });
  const ended = once(program, 'exit').catch(() => {});
  finallyDo(context, () => {
    program.kill();
    return ended;
  });
  let printed = '';
  let tell = () => {};
  program.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
    tell();
  });
  const exit = once(program, 'close').then(([code]) => code);
  const prints = (pattern) =>
    new Promise((resolve, reject) => {
      tell = () => {
        const found = pattern.exec(printed);
        if (found !== null) {
          resolve(found);
        }
      };
      exit.then(() => reject(new Error(`it ended without ${pattern}: ${printed}`)), reject);
      tell();
    });
  return { exit, prints, printed: () => printed };
}

/** How many bytes of memory are in use, once nobody uses what is done with. */
export async function held() {
  let least = Infinity;
  // Buffers are given back a little later than what holds them.
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
