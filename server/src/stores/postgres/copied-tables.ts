/** Tables of a PostgreSQL database as they are copied from or to another engine: rows by the page, and the ordinals given out. */

import {
  ALL_TABLES,
  type CopiedRow,
  HEAD_TABLE,
  ROWS_PER_PAGE,
  sharedColumns,
  TABLES_WITH_ORDINALS,
  type TableName,
} from '../sql/copied-tables.ts';
import type { Session } from './connections.ts';

/** Long enough for a page of rows over a slow line, and for a commit of everything; the role's own are for requests. */
export const COPY_TIMEOUTS =
  "set local statement_timeout = '600s'; set local idle_in_transaction_session_timeout = '120s'; " +
  "set local lock_timeout = '60s'";

/** What stands in a database: a store, nothing, or a copy into it that never came to its end. */
export async function contentOf(
  session: Session,
): Promise<'store' | 'nothing' | 'unfinished copy'> {
  const found = await session.query(
    'select tablename from pg_tables where schemaname = current_schema()',
  );
  const present = new Set(found.map(({ tablename }) => tablename));
  const filled: TableName[] = [];
  for (const table of ALL_TABLES.filter((name) => present.has(name))) {
    const [row] = await session.query(`select exists (select from ${table}) as filled`);
    if (row?.['filled'] === true) filled.push(table);
  }
  if (filled.includes(HEAD_TABLE)) return 'store';
  return filled.length === 0 ? 'nothing' : 'unfinished copy';
}

/** Hands over the rows of a table, a page at a time; inside a transaction. */
export async function eachPage(
  session: Session,
  table: TableName,
  take: (rows: readonly CopiedRow[]) => void,
): Promise<void> {
  await session.query(`declare copied no scroll cursor for select * from ${table}`);
  for (;;) {
    const rows = await session.query(`fetch ${ROWS_PER_PAGE} from copied`);
    if (rows.length === 0) break;
    take(rows);
  }
  await session.query('close copied');
}

/** Inserts rows as one statement, ordinals as they are. */
export async function insertRows(
  session: Session,
  table: TableName,
  rows: readonly CopiedRow[],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const types = await columnTypes(session, table);
  const columns = sharedColumns(table, first, [...types.keys()]);
  const arrays = columns.map((column, index) => `$${index + 1}::${types.get(column)}[]`);
  await session.query(
    `insert into ${table} (${columns.join(', ')}) overriding system value select * from unnest(${arrays.join(', ')})`,
    columns.map((column) => rows.map((row) => row[column])),
  );
}

async function columnTypes(
  session: Session,
  table: TableName,
): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query(
    'select column_name, data_type from information_schema.columns where table_schema = current_schema() and table_name = $1',
    [table],
  );
  return new Map(
    rows.map(({ column_name, data_type }) => [String(column_name), String(data_type)]),
  );
}

export async function countRows(session: Session, table: TableName): Promise<number> {
  const [row] = await session.query(`select count(*) as n from ${table}`);
  return Number(row?.['n']);
}

/** The highest ordinals that may have been given out; a sequence never goes back, so later than the rows is as good. */
export async function lastOrdinals(session: Session): Promise<ReadonlyMap<TableName, number>> {
  const last = new Map<TableName, number>();
  for (const table of TABLES_WITH_ORDINALS) {
    const [row] = await session.query(
      `select case when is_called then last_value else 0 end as last from ${sequenceOf(table)}`,
    );
    last.set(table, Number(row?.['last']));
  }
  return last;
}

/** Makes the next ordinal of a table a higher one than `last`. */
export async function setLastOrdinal(
  session: Session,
  table: TableName,
  last: number,
): Promise<void> {
  await session.query(`select setval('${sequenceOf(table)}', $1, $2)`, [
    Math.max(last, 1),
    last > 0,
  ]);
}

/** As an identity column names it. */
export const sequenceOf = (table: string): string => `${table}_ordinal_seq`;
