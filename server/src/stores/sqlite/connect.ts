/** Opens the main database: pragmas in their order. Knows no table. */

import { DatabaseSync } from 'node:sqlite';

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
