/** Statements on a connection of the host's own, in a transaction that is its own too. */

import type { StatementParts } from '../native/index.js';
import { invalidOption } from './options.js';

/** The server's code where a statement has a place in transactions alone. */
const NO_TRANSACTION = '25P01';

/** A client of `pg` that is in a transaction. */
export interface PgClient {
  /** Runs a statement on its connection. */
  query(query: { text: string; values: unknown[]; rowMode: 'array' }): Promise<{
    rows: unknown[][];
    rowCount: number | null;
  }>;
}

/** Runs a statement: its first row as numbers, and how many rows there were. */
export async function runOn(
  client: PgClient,
  { sql, values }: StatementParts,
): Promise<{ row: number[] | undefined; count: number }> {
  await check(client);
  const { rows, rowCount } = await client.query({ text: sql, values, rowMode: 'array' });
  // A `bigint` is a text, or whatever the host's parsers make of it.
  return { row: rows[0]?.map(Number), count: rowCount ?? 0 };
}

type Checked = PgClient & { totalCount?: unknown; getTransactionStatus?: () => unknown };

/** Refuses what would commit each statement by itself; a pool would run each on another connection. */
async function check(client: Checked): Promise<void> {
  if (typeof client?.query !== 'function' || client.totalCount !== undefined) {
    throw invalidOption('client is not a pg client; from a pool, take one with `await pool.connect()`');
  }
  if (!(await isInTransaction(client))) {
    throw invalidOption('client is not in a transaction: `BEGIN` first');
  }
}

/** As pg says from 8.21 on; of an older one the server is asked, which saves a point in a transaction alone. */
async function isInTransaction(client: Checked): Promise<boolean> {
  const status = client.getTransactionStatus?.();
  if (typeof status === 'string') {
    return status !== 'I';
  }
  const run = (text: string) => client.query({ text, values: [], rowMode: 'array' });
  try {
    await run('SAVEPOINT velora');
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === NO_TRANSACTION) {
      return false;
    }
    throw error;
  }
  await run('RELEASE SAVEPOINT velora');
  return true;
}
