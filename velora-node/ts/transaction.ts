/** Statements on a connection of the host's own, in a transaction that is its own too. */

import type { StatementParts } from '../native/index.js';
import { invalidOption } from './options.js';

/** A client of `pg` that is in a transaction. */
export interface PgClient {
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
  check(client);
  const { rows, rowCount } = await client.query({ text: sql, values, rowMode: 'array' });
  // A `bigint` is a text, or whatever the host's parsers make of it.
  return { row: rows[0]?.map(Number), count: rowCount ?? 0 };
}

/** A pool would run each statement on another connection. */
function check(client: PgClient & { totalCount?: unknown; getTransactionStatus?: () => unknown }): void {
  if (typeof client?.query !== 'function' || client.totalCount !== undefined) {
    throw invalidOption('client is no client of pg; of a pool, take one with `await pool.connect()`');
  }
  if (client.getTransactionStatus?.() === 'I') {
    throw invalidOption('client is in no transaction: `BEGIN` first');
  }
}
