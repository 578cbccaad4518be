/** Signers, stores, receivers. */

import type {
  Failure, OutcomeParts, ReplyParts, SchemeParts, SignedParts, StoreAnswer, StoreParts,
} from './types.js';
import { mostOf, numbersOf, put, putAlone, putValues, room, said, saidText, sizeOf, type Values } from './frame.js';
import { enter, FAILED } from './calls.js';
import { failureOf, lastFailure } from './failures.js';
import { Made } from './held.js';
import type { Instance } from './instance.js';
import { envelopeOf, hash, type Envelope, type Kept, type Verdict } from './verifier.js';
import { copyOf, utf8Text } from '../host.js';

/** A signer of the core. */
export class NativeSigner {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static create(scheme: string | SchemeParts, secrets: readonly (string | Uint8Array)[]): NativeSigner | Failure {
    const hashed = hash(scheme, secrets);
    return new NativeSigner(new Made((one) => one.exports['signer']!(hashed.scheme.in(one), hashed.putAt(room(one, hashed.size), 0))));
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
    return { body: copyOf(body) as SignedParts['body'], headers };
  }
}

type Verbs = (verb: string, key: string, epoch: number) => Promise<StoreAnswer>;

/** The verbs, then the states, in the order of their numbers: see `store.rs`. */
const VERBS = ['claim', 'commit', 'release', 'renew'];
const STATES = ['ok', 'fresh', 'in_flight', 'done', 'lease_lost', 'store_full'];
const [CLAIM, COMMIT, RELEASE, RENEW, SECOND_COMMIT] = [0, 1, 2, 3, 4];
const [OK, FRESH, DONE] = [0, 1, 3];

/** A store's answer to a verb: the state, and its number, if any. */
type Told = [state: number, number: number];

/** A store of claims. */
export class NativeStore {
  readonly #ask: (verb: number, key: string, epoch: number) => Told | Promise<Told>;
  readonly #memory: Made | undefined;

  private constructor(ask: (verb: number, key: string, epoch: number) => Told | Promise<Told>, memory?: Made) {
    this.#ask = ask;
    this.#memory = memory;
  }

  static memory({ lease, retention, dangerousShortRetention, capacity }: StoreParts): NativeStore | Failure {
    const options = [lease, retention, dangerousShortRetention, capacity];
    const given = options.reduce<number>((bits, option, at) => bits | Number(option !== undefined) << at, 0);
    const make = (one: Instance) => one.exports['memory_store']!(given, ...options.map((option) => option ?? 0));
    const made = new Made(make);
    return new NativeStore(memoryOf(made), made);
  }

  static of(verbs: Verbs): NativeStore {
    return new NativeStore((verb, key, epoch) => askHost(verbs, verb, key, epoch));
  }

  /** @internal The store's answer to a verb, which the module has not checked yet. */
  answer(verb: number, key: string, epoch: number): Told | Promise<Told> {
    return this.#ask(verb, key, epoch);
  }

  /** Does nothing: these stores do not connect in advance. */
  async ready(): Promise<void> {}

  close(): void {}

  get size(): number {
    return this.#count('store_size');
  }

  get droppedEarly(): number {
    return this.#count('dropped_early');
  }

  claim(key: string): Promise<StoreAnswer | Failure> {
    return this.#asked(CLAIM, key, 0, (state, number) => ({ state: STATES[state]!, epoch: number, retryAfter: number }) as StoreAnswer);
  }

  commit(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#asked(COMMIT, key, epoch, () => true);
  }

  release(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#asked(RELEASE, key, epoch, () => true);
  }

  renew(key: string, epoch: number): Promise<boolean | Failure> {
    return this.#asked(RENEW, key, epoch, () => true);
  }

  #count(call: string): number {
    const memory = this.#memory!;
    return enter((one) => one.exports[call]!(memory.in(one)), memory.home);
  }

  async #asked<T>(verb: number, key: string, epoch: number, read: (state: number, number: number) => T): Promise<T | Failure> {
    const [state, number] = await this.#ask(verb, key, epoch);
    return enter((one) => (one.exports['store_answer']!(verb, state, number) === FAILED ? lastFailure(one) : read(state, number)));
  }
}

/** Asks a store in memory, whose epochs continue to grow in a new instance. */
function memoryOf(made: Made): (verb: number, key: string, epoch: number) => Told {
  let { home } = made;
  let before = 0;
  let last = 0;
  return (verb, key, epoch) => enter((one) => {
    const at = made.in(one);
    if (home !== one) {
      home = one;
      before = last;
    }
    // An epoch from an earlier instance becomes one that this store never gives out.
    one.exports['ask_store']!(at, verb, putAlone(one, key), epoch - before, performance.now());
    let [[state, number = NaN]] = numbersOf(said(one), 2);
    if (state === FRESH) {
      last = number += before;
    }
    return [state!, number];
  }, made.home);
}

/** Asks a store of the caller's, which never throws. */
async function askHost(verbs: Verbs, verb: number, key: string, epoch: number): Promise<Told> {
  const { state, code, ...given } = await verbs(VERBS[verb]!, key, epoch);
  const named = STATES.indexOf(state === 'error' ? (code ?? '') : state);
  // Only an error may have the code of an error.
  const known = named >= 0 && (state === 'error') === named > DONE;
  return [known ? named : STATES.length, (state === 'fresh' ? given.epoch : given.retryAfter) ?? NaN];
}

/** A reply, and the seconds left of a lease that someone else holds. */
type Judged = ReplyParts & { readonly left: number | undefined };

function replyOf(bytes: Uint8Array): Judged {
  const [[status, retryAfter, left], rest] = numbersOf(bytes, 3);
  const [outcome = '', code = ''] = utf8Text(rest).split('\n', 2);
  const told = rest.subarray(outcome.length + code.length + 2);
  const reason = told.length === 0 ? undefined : failureOf(told);
  return { status, retryAfter, left, outcome, code: code || undefined, reason } as Judged;
}

/** A receiver of the core. */
export class NativeReceiver {
  readonly #made: Made;
  readonly #store: NativeStore;

  private constructor(made: Made, store: NativeStore) {
    this.#made = made;
    this.#store = store;
  }

  static create({ secrets, tolerance }: Kept, store: NativeStore, bodyLimit: number | undefined): NativeReceiver | Failure {
    const make = (one: Instance) =>
      one.exports['receiver']!(secrets.scheme.in(one), tolerance, secrets.putAt(room(one, secrets.size), 0), Number(bodyLimit !== undefined), bodyLimit ?? 0);
    return new NativeReceiver(new Made(make), store);
  }

  get bodyLimit(): number {
    return enter((one) => one.exports['body_limit']!(this.#made.in(one)));
  }

  async begin(body: Uint8Array, values: readonly Values[]): Promise<NativeWork | ReplyParts> {
    const admitted = enter((one) => {
      const at = this.#made.in(one);
      const bytes = room(one, sizeOf(values) + mostOf(body));
      const headers = putValues(bytes, values);
      if (one.exports['admit']!(at, headers, put(bytes, headers, body), Date.now()) === 0) {
        return replyOf(said(one));
      }
      const [[secretIndex, stamp = NaN], items] = numbersOf(said(one), 2);
      return [[stamp, secretIndex!], envelopeOf(items)] as [Verdict, Envelope];
    });
    return Array.isArray(admitted) ? this.#claim(admitted[1].key, admitted) : admitted;
  }

  unreadable(): ReplyParts {
    return enter((one) => {
      one.exports['unreadable']!(this.#made.in(one));
      return replyOf(said(one));
    });
  }

  /** Handles an event by the rules for delivered events. */
  async backfill(key: string, handler: () => Promise<boolean>): Promise<OutcomeParts> {
    const claimed = await this.#claim(key);
    const ended = claimed instanceof NativeWork ? await claimed.end((await handler()) ? COMMIT : RELEASE) : claimed;
    return { ...ended!, retryAfter: ended!.left } as OutcomeParts;
  }

  async #claim(key: string, verdict?: [Verdict, Envelope]): Promise<NativeWork | Judged> {
    const told = await this.#store.answer(CLAIM, key, 0);
    return this.#judge(CLAIM, told) ?? new NativeWork(this.#store, key, told[1], (verb, told) => this.#judge(verb, told), verdict);
  }

  /** The reply to the store's answer; none if there is work to do, or to commit once more. */
  #judge(verb: number, [state, number]: Told): Judged | undefined {
    return enter((one) => {
      one.exports['judge']!(this.#made.in(one), verb, state, number);
      const bytes = said(one);
      return bytes.length === 0 ? undefined : replyOf(bytes);
    });
  }
}

/** A genuine event for the caller to handle. */
export class NativeWork {
  readonly key: string;
  readonly epoch: number;
  readonly #store: NativeStore;
  readonly #judge: (verb: number, told: Told) => Judged | undefined;
  readonly #verdict: [Verdict, Envelope] | undefined;
  #ended = false;

  /** @internal */
  constructor(store: NativeStore, key: string, epoch: number, judge: (verb: number, told: Told) => Judged | undefined, verdict: [Verdict, Envelope] | undefined) {
    this.#store = store;
    this.key = key;
    this.epoch = epoch;
    this.#judge = judge;
    this.#verdict = verdict;
  }

  takeVerdict(): [Verdict, Envelope] {
    return this.#verdict!;
  }

  done(): Promise<ReplyParts | null> {
    return this.end(COMMIT);
  }

  committed(): Promise<ReplyParts | null> {
    return this.end(COMMIT, [OK, NaN]);
  }

  release(): Promise<ReplyParts | null> {
    return this.end(RELEASE);
  }

  async renew(): Promise<boolean | Failure | null> {
    return this.#ended ? null : this.#store.renew(this.key, this.epoch);
  }

  /** @internal Null if it has ended before. `told` is the store's answer, if it is known. */
  async end(verb: number, told?: Told): Promise<Judged | null> {
    if (this.#ended) {
      return null;
    }
    this.#ended = true;
    const judged = this.#judge(verb, told ?? (await this.#store.answer(verb, this.key, this.epoch)));
    return judged ?? this.#judge(SECOND_COMMIT, await this.#store.answer(COMMIT, this.key, this.epoch))!;
  }
}
