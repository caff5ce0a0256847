/** Tables of a SQLite database as they are copied from or to another engine: rows by the page, and the ordinals given out. */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
  type CopiedRow,
  ROWS_PER_PAGE,
  sharedColumns,
  TABLES_WITH_ORDINALS,
  type TableName,
} from '../sql/copied-tables.ts';

/** The rows of a table, a page at a time; the caller holds a transaction around all tables. */
export function* pagesOf(
  connection: DatabaseSync,
  table: TableName,
): Generator<readonly CopiedRow[]> {
  let page: CopiedRow[] = [];
  for (const row of connection.prepare(`SELECT * FROM ${table}`).iterate()) {
    page.push(row);
    if (page.length < ROWS_PER_PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

export function insertRows(
  connection: DatabaseSync,
  table: TableName,
  rows: readonly CopiedRow[],
): void {
  const [first] = rows;
  if (first === undefined) return;
  const own = connection.prepare('SELECT name FROM pragma_table_info(?)').all(table);
  const columns = sharedColumns(
    table,
    first,
    own.map(({ name }) => String(name)),
  );
  const insert = connection.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  for (const row of rows) insert.run(...columns.map((column) => row[column] as SQLInputValue));
}

export function countRows(connection: DatabaseSync, table: TableName): number {
  return Number(connection.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

/** The highest ordinal that was ever given out, whether its row is still there or not; 0: none. */
export function lastOrdinals(connection: DatabaseSync): ReadonlyMap<TableName, number> {
  const find = connection.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?');
  return new Map(
    TABLES_WITH_ORDINALS.map((table) => [table, Number(find.get(table)?.['seq'] ?? 0)]),
  );
}

/** Makes the next ordinal of a table a higher one than `last`. */
export function setLastOrdinal(connection: DatabaseSync, table: TableName, last: number): void {
  connection.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table);
  connection.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, last);
}
