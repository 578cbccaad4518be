/** Claims in a database, for more than one process. */

import * as native from '../native/index.js';
import { guard, unwrap } from './errors.js';
import { checkOptions, invalidOption, numberOption, text, textOption } from './options.js';
import { OURS, Store, TIMES, times, type Times } from './store.js';
import { runOn, type PgClient } from './transaction.js';

/** The answer to a claim in a transaction of yours: what ends the claim is the transaction. */
export type ClaimIn =
  /** The event is yours: work, then `commitIn` under this epoch, in the same transaction. */
  | { state: 'fresh'; epoch: number }
  /** Someone is working on it, for so many seconds at most. Never answer 2xx. */
  | { state: 'in_flight'; retryAfter: number }
  /** It was handled before: answer 2xx. */
  | { state: 'done' };

/** The options of `openStore`, times in seconds. */
export interface StoreOptions extends Times {
  /** How long one call may take before it is `store_unavailable`: 0.1 to 60, 3 by default. */
  timeout?: number | undefined;
  /** How many connections to PostgreSQL are opened at most. 16 by default. */
  connections?: number | undefined;
  /**
   * Keeps the keys apart from those of other endpoints of the same system that share the place,
   * as those of two tenants or two services: up to 64 letters, digits, `.`, `_` and `-`. None
   * by default.
   */
  namespace?: string | undefined;
}

/**
 * The store that a URL names, for as many processes as it is for:
 *
 * | URL | for |
 * |---|---|
 * | `memory:` | this process alone |
 * | `sqlite:///var/lib/app/claims.db` | the processes of one host |
 * | `postgres://user:password@host/database` | any number of machines |
 * | `redis://…`, `rediss://…`, `…/?cluster=true` | any number of machines |
 *
 * ```js
 * const store = openStore(process.env.VELORA_STORE ?? 'sqlite://claims.db');
 * await store.ready();
 * ```
 *
 * Effects are exactly-once with `claimIn` and `commitIn` alone, in PostgreSQL; elsewhere
 * handlers run at least once, and who was taken over gets `lease_lost`. Redis can forget on a
 * failover, and needs `noeviction`. TLS is always verified; whether there is any, the URL
 * says: `rediss://`, and `?sslmode=require` for PostgreSQL, whose default, `prefer`, goes
 * without where the server has none.
 *
 * One store belongs to one endpoint; endpoints of one system that share a place need a
 * `namespace` each. Without it the second takes the event for a `duplicate`, and its handler
 * does not run. The processes that serve one endpoint share its namespace.
 *
 * It does not connect: the first claim does, and `ready`. Throws `invalid_option` where the
 * URL names no store or is a variable that is not set, and shows no part of it, which may hold
 * a password, or where an option is out of its range; `invalid_lease`, `invalid_retention`.
 */
export function openStore(url: string | undefined, options?: StoreOptions): DurableStore {
  const given = checkOptions(options, [...TIMES, 'timeout', 'connections', 'namespace']);
  const parts = {
    ...times(given),
    timeout: numberOption('timeout', given.timeout),
    connections: numberOption('connections', given.connections),
    namespace: textOption('namespace', given.namespace),
  } as native.StoreParts;
  return DurableStore.made(unwrap(guard(() => native.NativeStore.open(text('url', url), parts))));
}

/** A store that `openStore` gives. */
export class DurableStore extends Store {
  /** @internal */
  static readonly [OURS] = true;

  /** @internal */
  static made(made: native.NativeStore): DurableStore {
    return new DurableStore(made);
  }

  /**
   * Claims a key in the transaction that a client of `pg` is in, connected to the database
   * of a store in PostgreSQL. If it is rolled back, nothing was claimed.
   *
   * It is for an event that no receiver has claimed: in `onEvent` the event is `in_flight`.
   * There `Receiver.begin` gives the epoch to `commitIn` with.
   *
   * Claim and effects are committed together, so the effect is exactly-once. Have called
   * `ready` once, for the tables; use `READ COMMITTED`, the default.
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
   * There is none for SQLite: what Node itself has for it is experimental in Node 22 and
   * absent from Node 20.
   *
   * Throws what the client throws; `invalid_option` where the store is not in PostgreSQL, or
   * the client is a pool or in no transaction. Of a `pg` of before 8.21, which does not say
   * whether it is, the server is asked by a savepoint.
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
   * Marks the work as done in the transaction that holds its effects. Only once that is
   * committed answer 2xx.
   *
   * The epoch is that of `claimIn` in the same transaction, of the `Work` that `Receiver.begin`
   * gave, or of a `Lease`: the effects are written exactly once with each, as one that was taken
   * over gets `lease_lost`.
   *
   * Throws `lease_lost`, and what `claimIn` throws: roll back then.
   */
  async commitIn(client: PgClient, key: string, epoch: number): Promise<void> {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw invalidOption('epoch is no whole number');
    }
    const statements = this.#statements();
    const { count } = await runOn(client, statements.commit(text('key', key), epoch));
    unwrap(guard(() => statements.committed(count)));
  }

  #statements(): native.NativeStatements {
    const statements = Store.native(this).inTransaction();
    if (statements?.database !== 'postgres') {
      throw invalidOption('only a store in PostgreSQL has transactions to claim in');
    }
    return statements;
  }
}
