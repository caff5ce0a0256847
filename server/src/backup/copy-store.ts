/** Copies the main database from one engine to the other, row by row, each time as one transaction. Knows no file's place. */

import type { DatabaseSync } from 'node:sqlite';
import type { Session } from '../stores/postgres/connections.ts';
import * as database from '../stores/postgres/copied-tables.ts';
import { COPIED_TABLES, type TableName } from '../stores/sql/copied-tables.ts';
import * as file from '../stores/sqlite/copied-tables.ts';
import { BackupRefused } from './archive.ts';
import type { Tell } from './tell.ts';

/** From PostgreSQL into a SQLite file whose schema is up to date and which holds nothing. Inside a snapshot of the session. */
export async function copyToFile(
  session: Session,
  connection: DatabaseSync,
  tell: Tell,
): Promise<void> {
  await session.script(database.COPY_TIMEOUTS);
  connection.exec('BEGIN IMMEDIATE');
  for (const table of COPIED_TABLES) {
    const rows = await database.countRows(session, table);
    let copied = 0;
    await database.eachPage(session, table, (page) => {
      file.insertRows(connection, table, page);
      copied += page.length;
      tell(`copying ${table}, row ${copied} of ${rows}`);
    });
    requireAll(table, rows, file.countRows(connection, table));
  }
  for (const [table, last] of await database.lastOrdinals(session)) {
    file.setLastOrdinal(connection, table, last);
  }
  connection.exec('COMMIT');
}

/** From a SQLite file into an empty PostgreSQL, `except` left out. The caller holds a transaction on either side. */
export async function copyToDatabase(
  connection: DatabaseSync,
  session: Session,
  { tell, except }: { readonly tell: Tell; readonly except?: TableName },
): Promise<void> {
  for (const table of COPIED_TABLES.filter((name) => name !== except)) {
    const rows = file.countRows(connection, table);
    let copied = 0;
    for (const page of file.pagesOf(connection, table)) {
      await database.insertRows(session, table, page);
      copied += page.length;
      tell(`copying ${table}, row ${copied} of ${rows}`);
    }
    requireAll(table, rows, await database.countRows(session, table));
  }
  for (const [table, last] of file.lastOrdinals(connection)) {
    await database.setLastOrdinal(session, table, last);
  }
}

function requireAll(table: TableName, rows: number, copied: number): void {
  if (rows === copied) return;
  throw new BackupRefused(`of ${rows} rows in ${table} ${copied} were copied: nothing was kept`);
}
