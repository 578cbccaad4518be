/** Signers, stores, receivers. */

import type {
  Failure, OutcomeParts, ReplyParts, SchemeParts, SignedParts, StoreAnswer, StoreParts,
} from './types.js';
import { doubleBytes, mostOf, numbersOf, put, putAlone, putItems, putValues, room, said, saidText, sizeOf, wholeOf, type Values } from './frame.js';
import { answer, enter, Held, later, learn, Made } from './calls.js';
import { instance, type Instance } from './instance.js';
import { envelopeOf, schemeItems, type Envelope, type Verdict } from './verifier.js';
import { utf8Text } from '../host.js';

/** A signer of the core. */
export class NativeSigner {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static create(scheme: string | SchemeParts, secrets: readonly (string | Uint8Array)[]): NativeSigner | Failure {
    const items = schemeItems(scheme, secrets);
    return new NativeSigner(new Made((one) => one.exports['signer']!(putItems(one, items))));
  }

  sign(body: Uint8Array, now: number | undefined): SignedParts {
    const lines = enter((one) => {
      const at = this.#made.in(one);
      one.exports['sign']!(at, putAlone(one, body), now ?? Date.now());
      return saidText(one).split('\n');
    });
    const headers: [string, string][] = [];
    for (let at = 0; at + 2 < lines.length; at += 2) {
      headers.push([lines[at]!, lines[at + 1]!]);
    }
    return { body: body.slice() as SignedParts['body'], headers };
  }
}

type Verbs = (verb: string, key: string, epoch: number) => Promise<StoreAnswer>;

/** In the order of their numbers: see `store.rs`. */
const VERBS = ['claim', 'commit', 'release', 'renew'];
const STATES = ['ok', 'fresh', 'in_flight', 'done', 'lease_lost', 'store_full'];
const DONE = 3;
const STORE = 3;
const HANDLE = 4;

/** What the module knows by a number of ours. */
const known = new Map<number, unknown>();
let numbers = 0;

function know(thing: unknown): number {
  numbers += 1;
  known.set(numbers, thing);
  return numbers;
}

/** A store that claims are made in. */
export class NativeStore {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static memory({ lease, retention, dangerousShortRetention, capacity }: StoreParts): NativeStore | Failure {
    const options = [lease, retention, dangerousShortRetention, capacity];
    const given = options.reduce<number>((bits, option, at) => bits | Number(option !== undefined) << at, 0);
    const make = (one: Instance) => one.exports['memory_store']!(given, ...options.map((option) => option ?? 0));
    return new NativeStore(new Made(make));
  }

  static of(verbs: Verbs): NativeStore {
    learn(STORE, askStore);
    const number = know(verbs);
    const store = new NativeStore(new Made((one) => one.exports['host_store']!(number)));
    forgotten.register(store, number);
    return store;
  }

  /** @internal */
  in(one: Instance): number {
    return this.#made.in(one);
  }

  /** Here a store connects to nothing before it is used. */
  async ready(): Promise<void> {}

  get size(): number {
    return enter((one) => one.exports['store_size']!(this.in(one)));
  }

  get droppedEarly(): number {
    return enter((one) => one.exports['dropped_early']!(this.in(one)));
  }

  claim(key: string): Promise<StoreAnswer | Failure> {
    return this.#ask(0, key, 0, (bytes) => {
      const [[state, number]] = numbersOf(bytes, 2);
      return { state: STATES[state!]!, epoch: number, retryAfter: number } as StoreAnswer;
    });
  }

  commit(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#ask(1, key, epoch, () => true);
  }

  release(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#ask(2, key, epoch, () => true);
  }

  renew(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#ask(3, key, epoch, () => true);
  }

  #ask<T>(verb: number, key: string, epoch: number, read: (bytes: Uint8Array) => T): Promise<T | Failure> {
    return later((one) => {
      const at = this.in(one);
      return one.exports['ask_store']!(at, verb, putAlone(one, key), epoch);
    }, read);
  }
}

const forgotten = new FinalizationRegistry<number>((number) => known.delete(number));

/** The module asks a store of the caller's, which never fails. */
async function askStore(one: Instance, number: number, bytes: Uint8Array): Promise<void> {
  const verbs = known.get(wholeOf(bytes)) as Verbs | undefined;
  const [[epoch], key] = numbersOf(bytes.subarray(5), 1);
  const { state, code, ...given } = (await verbs?.(VERBS[bytes[4]!]!, utf8Text(key), epoch!)) ?? { state: 'error' };
  const named = STATES.indexOf(state === 'error' ? (code ?? '') : state);
  // An error has a code of its own, and no other.
  const outcome = (state === 'error') === named > DONE ? named : -1;
  answer(one, number, outcome < 0 ? STATES.length : outcome, doubleBytes((state === 'fresh' ? given.epoch : given.retryAfter) ?? NaN));
}

function replyOf(bytes: Uint8Array): ReplyParts {
  const [[status, retryAfter], rest] = numbersOf(bytes, 2);
  const [outcome, code] = utf8Text(rest).split('\n');
  return { status, retryAfter, outcome, code: code || undefined } as ReplyParts;
}

/** A receiver of the core. */
export class NativeReceiver {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static create(verifier: Made, store: NativeStore, bodyLimit: number | undefined): NativeReceiver | Failure {
    const make = (one: Instance) =>
      one.exports['receiver']!(verifier.in(one), store.in(one), Number(bodyLimit !== undefined), bodyLimit ?? 0);
    return new NativeReceiver(new Made(make));
  }

  get bodyLimit(): number {
    return enter((one) => one.exports['body_limit']!(this.#made.in(one)));
  }

  begin(body: Uint8Array, values: readonly Values[]): Promise<NativeWork | ReplyParts> {
    const start = (one: Instance) => {
      const at = this.#made.in(one);
      const bytes = room(one, sizeOf(values) + mostOf(body));
      const headers = putValues(bytes, values);
      return one.exports['begin']!(at, headers, put(bytes, headers, body));
    };
    const read = (bytes: Uint8Array) => {
      const [[work], rest] = numbersOf(bytes, 1);
      return work === undefined ? replyOf(rest) : new NativeWork(work, rest);
    };
    return later(start, read) as Promise<NativeWork | ReplyParts>;
  }

  unreadable(): ReplyParts {
    return enter((one) => {
      one.exports['unreadable']!(this.#made.in(one));
      return replyOf(said(one));
    });
  }

  async backfill(key: string, handler: () => Promise<boolean>): Promise<OutcomeParts> {
    learn(HANDLE, runHandler);
    const number = know(handler);
    const start = (one: Instance) => {
      const at = this.#made.in(one);
      return one.exports['backfill']!(at, putAlone(one, key), number);
    };
    try {
      return (await later(start, replyOf)) as OutcomeParts;
    } finally {
      known.delete(number);
    }
  }
}

/** The module asks for a handler of the caller's to be run, which never fails. */
async function runHandler(one: Instance, number: number, bytes: Uint8Array): Promise<void> {
  const handler = known.get(wholeOf(bytes)) as (() => Promise<boolean>) | undefined;
  answer(one, number, Number(await handler?.()));
}

/** A genuine event that is the caller's to handle. */
export class NativeWork {
  readonly #of = instance();
  readonly #held: Held;
  readonly #verdict: [Verdict, Envelope];

  /** @internal */
  constructor(work: number, bytes: Uint8Array) {
    this.#held = new Held(this.#of, work);
    const [[secretIndex, stamp = NaN], items] = numbersOf(bytes, 2);
    this.#verdict = [[stamp, secretIndex!], envelopeOf(items)];
  }

  takeVerdict(): [Verdict, Envelope] {
    return this.#verdict;
  }

  done(): Promise<ReplyParts | null> {
    return this.#end(1);
  }

  release(): Promise<ReplyParts | null> {
    return this.#end(0);
  }

  async #end(done: number): Promise<ReplyParts | null> {
    // Its instance has failed: the work ended with it, and the lease runs out.
    if (instance() !== this.#of) {
      return null;
    }
    const read = (bytes: Uint8Array) => (bytes.length === 0 ? null : replyOf(bytes));
    return (await later((one) => one.exports['end_work']!(this.#held.at, done), read)) as ReplyParts | null;
  }
}
