/** Counts the tokens on record in a data directory, so that a bench of lost issuances fails instead of shining. */

import { join } from 'node:path';
import { openForReading } from '../server/src/journal/bucket-database.ts';
import { listBuckets } from '../server/src/journal/bucket-files.ts';

/** To be called after the server has stopped. */
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
