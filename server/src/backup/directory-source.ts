/** A data directory as the source of a backup: everything is copied through SQLite. */

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../config.ts';
import { journalDirectory } from '../data-directory.ts';
import { openForReading } from '../journal/bucket-database.ts';
import { type BucketFile, listBuckets } from '../journal/bucket-files.ts';
import { connectReader } from '../stores/sqlite/connect.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { BackupRefused } from './archive.ts';
import { copyDatabase } from './copy-database.ts';
import { exists } from './files.ts';
import type { Source } from './source.ts';

export function directorySource(config: Config): Source {
  const path = databasePath(config.data);
  return {
    requireStore: async () => {
      if (await exists(path)) return;
      throw new BackupRefused(
        `${config.data} holds no store: choose the data directory with --data`,
      );
    },
    copyMain: (copy, tell) =>
      copyDatabase(connectReader(path), copy, (share) =>
        tell(`copying the database, ${Math.floor(share * 100)} %`),
      ),
    async *copyJournal(stage, tell) {
      const copy = join(stage, 'copy.db');
      const buckets = listBuckets(journalDirectory(config));
      for (const [index, bucket] of buckets.entries()) {
        tell(`copying the journal, file ${index + 1} of ${buckets.length}`);
        const source = openedUnlessGone(bucket);
        if (source === undefined) continue;
        await copyDatabase(source, copy);
        yield { path: copy, name: basename(bucket.path), tokens: tokensIn(copy) };
      }
    },
  };
}

/** Nothing is ever taken out of a bucket, so its last row's number is how many it has. */
function tokensIn(path: string): number {
  const reading = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(reading.prepare('SELECT max(rowid) AS n FROM tokens').get()?.['n'] ?? 0);
  } finally {
    reading.close();
  }
}

/** Undefined: it was dropped meanwhile, as its time is over, or its first token is still being written. */
function openedUnlessGone({ path }: BucketFile): DatabaseSync | undefined {
  try {
    return openForReading(path);
  } catch (error) {
    if (existsSync(path)) throw error;
    return undefined;
  }
}
