/** Copies a database that others may be writing to, through SQLite alone, into one plain file. Knows no table but SQLite's own. */

import { backup, DatabaseSync } from 'node:sqlite';
import { BackupRefused } from './archive.ts';

/** Copied at a time; in between the process may report. 4 MiB. */
const PAGES_PER_STEP = 1_000;

/** Copies what is committed now, then closes `source`. Nobody waits for it, and it waits for nobody. */
export async function copyDatabase(
  source: DatabaseSync,
  path: string,
  onProgress: (share: number) => void = () => {},
): Promise<void> {
  try {
    // A snapshot that is held for all of the copy: without it the copy would begin anew with each commit of another process.
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await backup(source, path, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => onProgress(1 - remainingPages / totalPages),
    });
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(path);
  try {
    // One file without a log beside it, whatever the original was.
    copy.exec('PRAGMA journal_mode = DELETE');
    const { quick_check: found } = { ...copy.prepare('PRAGMA quick_check(1)').get() };
    if (found !== 'ok') throw new BackupRefused(`what was copied is damaged: ${String(found)}`);
  } finally {
    copy.close();
  }
}
