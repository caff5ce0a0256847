/** Counts the tokens on record in a data directory, so that a bench of lost issuances fails instead of shining; and fills one. */

import { randomFillSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeBucket,
  openForAppending,
  openForReading,
} from '../server/src/journal/bucket-database.ts';
import {
  BUCKET_MS,
  bucketFile,
  bucketStart,
  listBuckets,
} from '../server/src/journal/bucket-files.ts';

const ROWS_PER_BUCKET = 1_000_000;
const LIFETIME_SECONDS = 3_600;

/** What was answered is there also while the server still runs. */
export function countJournalRows(data: string): number {
  let rows = 0;
  for (const { path } of listBuckets(join(data, 'journal'))) {
    const database = openForReading(path);
    const counted = database?.prepare('SELECT count(*) AS rows FROM tokens').get();
    rows += Number(counted?.['rows'] ?? 0);
    database?.close();
  }
  return rows;
}

/** Writes closed buckets of the hours before now, as the journal itself leaves them, for clients 1 to `clients`. */
export function fillJournal(data: string, of: { rows: number; clients: number }): void {
  const directory = join(data, 'journal');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const nowMs = bucketStart(Date.now(), BUCKET_MS);
  for (let written = 0, back = 1; written < of.rows; written += ROWS_PER_BUCKET, back += 1) {
    const startMs = nowMs - back * BUCKET_MS;
    const { path } = bucketFile(directory, startMs, 'filled');
    fillBucket(path, { ...of, startMs, rows: Math.min(ROWS_PER_BUCKET, of.rows - written) });
    closeBucket(path);
  }
}

function fillBucket(path: string, of: { rows: number; clients: number; startMs: number }): void {
  const { database, begin, insert, commit } = openForAppending(path, 'OFF');
  const jti = Buffer.alloc(12);
  const address = Buffer.alloc(16, 1);
  begin.run();
  for (let row = 0; row < of.rows; row += 1) {
    const issuedAtMs = of.startMs + Math.floor((row * BUCKET_MS) / of.rows);
    const client = 1 + (row % of.clients);
    insert.run(...[issuedAtMs, LIFETIME_SECONDS, client, 0, 1, 0, 0], randomFillSync(jti), address);
  }
  commit.run();
  database.close();
}
