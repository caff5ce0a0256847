/** Opens the main database: pragmas in their order, schema migrated, errors that say what to do. */

import { DatabaseSync } from 'node:sqlite';
import { MIGRATIONS } from './migrations.ts';

/** How long the writer thread may wait for another process's commit. The event loop never does. */
const WRITER_BUSY_TIMEOUT_MS = 5_000;

export function connectWriter(path: string, synchronous: 'FULL' | 'OFF' = 'FULL'): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: WRITER_BUSY_TIMEOUT_MS });
  // WAL before all else: it needs a lock that open readers would deny. Then FULL: in WAL, NORMAL
  // would leave the fsync to the next checkpoint and a power cut would take back a suspension.
  whenNotBusy(() => connection.exec('PRAGMA journal_mode = WAL'));
  connection.exec(`PRAGMA synchronous = ${synchronous}`);
  connection.exec('PRAGMA foreign_keys = ON');
  connection.exec('PRAGMA trusted_schema = OFF');
  // What is overwritten is gone from the file: after a rewrap nothing in it opens with the old master key.
  connection.exec('PRAGMA secure_delete = ON');
  return connection;
}

/** SQLite's busy time-out does not cover the first switch to WAL, which two processes may try on a new file at once. */
function whenNotBusy(run: () => void): void {
  const deadlineMs = performance.now() + WRITER_BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      run();
      return;
    } catch (error) {
      const isBusy = (error as { errcode?: number }).errcode === SQLITE_BUSY;
      if (!isBusy || performance.now() >= deadlineMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
    }
  }
}

const SQLITE_BUSY = 5;
const READER_BUSY_TIMEOUT_MS = 2_000;
const BUSY_RETRY_MS = 20;

/**
 * A connection that only reads; it never waits for a writer's lock, as WAL readers need none. It waits only while another process
 * opens or closes the file alone, which cannot be while a server holds it open.
 */
export function connectReader(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: READER_BUSY_TIMEOUT_MS });
}

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the schema up to date in one transaction; two processes may try at once. Refuses a newer one. */
export function migrate(connection: DatabaseSync, path: string): void {
  if (refuseNewer(connection, path) === SCHEMA_VERSION) return;
  connection.exec('BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(refuseNewer(connection, path))) connection.exec(step);
    connection.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function refuseNewer(connection: DatabaseSync, path: string): number {
  const row = connection.prepare('PRAGMA user_version').get() as { user_version: number };
  if (row.user_version <= SCHEMA_VERSION) return row.user_version;
  throw new Error(
    `${path} has schema ${row.user_version}, this Countersign knows ${SCHEMA_VERSION}: ` +
      'it was written by a newer version; run that version, or restore a backup of this one',
  );
}
