/** Claims in a database, for more than one process. */

import { inspect } from './host.js';
import * as native from '../native/index.js';
import { guard, unwrap } from './errors.js';
import { checkOptions, invalidOption, numberOption, text, textOption } from './options.js';
import { OURS, Store, TIMES, times, type Times } from './store.js';
import { runOn, type PgClient } from './transaction.js';

/** The answer to a claim in your own transaction, which also ends the claim. */
export type ClaimIn =
  /** The event is yours: handle it, then `commitIn` under this epoch, in the same transaction. */
  | { state: 'fresh'; epoch: number }
  /** Someone else is handling it; `retryAfter` is seconds until that lease expires, at most. Never answer 2xx. */
  | { state: 'in_flight'; retryAfter: number }
  /** It was handled before: answer 2xx. */
  | { state: 'done' };

/** The options of `openStore`; durations are in seconds. */
export interface StoreOptions extends Times {
  /** How long one call may take before it is `store_unavailable`: 0.1 to 60, 3 by default. */
  timeout?: number | undefined;
  /** How many connections to PostgreSQL are opened at most. 16 by default. */
  connections?: number | undefined;
  /**
   * Keeps the keys apart from those of other endpoints of the same system that share the database,
   * such as those of two tenants or two services: up to 64 letters, digits, `.`, `_` and `-`. None
   * by default.
   */
  namespace?: string | undefined;
}

/**
 * Opens the store that a URL names:
 *
 * | URL | for |
 * |---|---|
 * | `memory:` | this process only |
 * | `sqlite:///var/lib/app/claims.db` | the processes of one host |
 * | `postgres://user:password@host/database` | any number of machines |
 * | `redis://…`, `rediss://…`, `…/?cluster=true` | any number of machines |
 *
 * ```js
 * const store = openStore(process.env.VELORA_STORE ?? 'sqlite://claims.db');
 * await store.ready();
 * ```
 *
 * This does not connect: the first claim does, and `ready`.
 *
 * Effects are exactly-once only with `claimIn` and `commitIn`, in PostgreSQL. Elsewhere handlers run
 * at least once, and a worker whose claim was taken over gets `lease_lost`. Redis can forget on a
 * failover, and needs `noeviction`. TLS certificates are always verified. The URL decides whether
 * TLS is used: `rediss://` for Redis, `?sslmode=require` for PostgreSQL, whose default, `prefer`,
 * goes without TLS if the server has none.
 *
 * Endpoints of the same system that share a database need a `namespace` each. Without it the second
 * endpoint takes the event for a `duplicate`, and its handler does not run. The processes that serve
 * one endpoint share its namespace. Endpoints of different systems need none.
 *
 * Throws `invalid_lease`, `invalid_retention`; `invalid_option` if another option is out of its
 * range, or if the URL names no store or is `undefined`. No error shows any part of the URL, because
 * it may hold a password. Only that of a SQLite file which cannot be opened names the file.
 */
export function openStore(url: string | undefined, options?: StoreOptions): DurableStore {
  const given = checkOptions(options, [...TIMES, 'timeout', 'connections', 'namespace']);
  const parts = {
    ...times(given),
    timeout: numberOption('timeout', given.timeout),
    connections: numberOption('connections', given.connections),
    namespace: textOption('namespace', given.namespace),
  } as native.StoreParts;
  const named = text('url', url);
  const made = unwrap(guard(() => native.NativeStore.open(named, parts)));
  // What names a store starts with one of the words above. Nothing else of it is kept.
  return DurableStore.made(made, named.slice(0, named.indexOf(':')));
}

/** A store that `openStore` returns. */
export class DurableStore extends Store {
  /** @internal */
  static readonly [OURS] = true;

  readonly #kind: string;

  private constructor(made: native.NativeStore, kind: string) {
    super(made);
    this.#kind = kind;
  }

  /** @internal */
  static made(made: native.NativeStore, kind: string): DurableStore {
    return new DurableStore(made, kind);
  }

  /**
   * Claims a key in the open transaction of a `pg` client that is connected to the database of a
   * PostgreSQL store. If the transaction is rolled back, nothing was claimed.
   *
   * Use it for an event that no receiver has claimed. In `onEvent` the event is already claimed, so
   * this returns `in_flight`; there, use `Receiver.begin` and `commitIn` with the work's epoch.
   *
   * Claim and effects are committed together, so effects are exactly-once. Call `ready` once
   * beforehand, which creates the tables, and use `READ COMMITTED`, the default isolation level.
   *
   * ```js
   * await client.query('BEGIN');
   * const claim = await store.claimIn(client, key);
   * if (claim.state === 'fresh') {
   *   await client.query('INSERT INTO payments VALUES (100)');
   *   await store.commitIn(client, key, claim.epoch);
   * }
   * await client.query('COMMIT');
   * // What someone else is working on may yet fail there.
   * return claim.state === 'in_flight' ? 503 : 200;
   * ```
   *
   * SQLite is not supported: Node's own module for it is experimental in Node 22 and absent from
   * Node 20.
   *
   * Throws what the client throws; `invalid_option` if the store is not in PostgreSQL, or the client
   * is a pool or not in a transaction. Versions of `pg` before 8.21 do not tell whether they are in a
   * transaction; there, a savepoint asks the server.
   */
  async claimIn(client: PgClient, key: string): Promise<ClaimIn> {
    const wanted = text('key', key);
    const statements = this.#statements();
    const fresh = await runOn(client, statements.claim(wanted));
    const claimed =
      fresh.row === undefined
        ? statements.stands((await runOn(client, statements.standing(wanted))).row)
        : statements.fresh(fresh.row[0] as number);
    switch (claimed.state) {
      case 'fresh':
        return { state: 'fresh', epoch: claimed.epoch as number };
      case 'in_flight':
        return { state: 'in_flight', retryAfter: claimed.retryAfter as number };
      default:
        return { state: 'done' };
    }
  }

  /**
   * Commits the claim in the transaction that holds the effects. Answer 2xx only after that
   * transaction is committed.
   *
   * The epoch comes from `claimIn` in the same transaction, from the `Work` of `Receiver.begin`, or
   * from a `Lease`. In each case the effects are written exactly once, because a claim that was taken
   * over fails with `lease_lost`.
   *
   * Throws `lease_lost`, and what `claimIn` throws; roll back then.
   */
  async commitIn(client: PgClient, key: string, epoch: number): Promise<void> {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw invalidOption('epoch is not a whole number');
    }
    const statements = this.#statements();
    const { count } = await runOn(client, statements.commit(text('key', key), epoch));
    unwrap(guard(() => statements.committed(count)));
  }

  [inspect.custom](): string {
    return `DurableStore(${this.#kind})`;
  }

  #statements(): native.NativeStatements {
    const statements = Store.native(this).inTransaction();
    if (statements?.database !== 'postgres') {
      throw invalidOption('only a PostgreSQL store can claim in a transaction');
    }
    return statements;
  }
}
