import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { newDataDirectory } from '../testing/data.ts';
import { BackupRefused } from './archive.ts';
import { copyDatabase } from './copy-database.ts';

/** Several times what is copied at a time. */
const ROWS = 200_000;

function busyDatabase(): { path: string; folder: string; writer: DatabaseSync } {
  const folder = newDataDirectory();
  const path = join(folder, 'busy.db');
  const writer = new DatabaseSync(path);
  writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER, b TEXT)');
  writer.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO t SELECT i, hex(randomblob(30)) FROM n`);
  return { path, folder, writer };
}

test('a database that is written to all the time is copied as it was when the copy began, and nobody waits', async () => {
  const { path, folder, writer } = busyDatabase();
  const insert = writer.prepare('INSERT INTO t VALUES (0, ?)');
  let isDone = false;
  let written = 0;
  const write = (): void => {
    if (isDone) return;
    insert.run('later');
    written += 1;
    setImmediate(write);
  };
  const copy = join(folder, 'copy.db');
  const shares: number[] = [];
  const copying = copyDatabase(new DatabaseSync(path, { readOnly: true }), copy, (share) =>
    shares.push(share),
  );
  write();
  await copying;
  isDone = true;
  writer.close();
  assert.ok(shares.length > 2 && written > 2, `${shares.length} steps, ${written} rows meanwhile`);
  const reading = new DatabaseSync(copy, { readOnly: true });
  assert.equal(reading.prepare('SELECT count(*) AS n FROM t').get()?.['n'], ROWS);
  reading.close();
  assert.deepEqual(readdirSync(folder), ['busy.db', 'copy.db']);
});

test('a database that is damaged is no backup', async () => {
  const { path, folder, writer } = busyDatabase();
  writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  writer.close();
  // A page in the middle: only a look at all of them finds it.
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 7), 0, 4096, 500 * 4096);
  closeSync(file);
  await assert.rejects(
    copyDatabase(new DatabaseSync(path, { readOnly: true }), join(folder, 'copy.db')),
    (error) => error instanceof BackupRefused && /what was copied is damaged/.test(error.message),
  );
});
