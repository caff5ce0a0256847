/** What a backup is taken of, whichever engine it stands on. */

import type { Tell } from './tell.ts';

export type Source = {
  /** Throws `BackupRefused` when there is no store. Makes none. */
  requireStore(): Promise<void>;
  /** Copies the main database, as of one moment, into one plain file without a log beside it. */
  copyMain(path: string, tell: Tell): Promise<void>;
  /** Copies of the journal's buckets, one after another, in `stage`; whoever takes one removes it. */
  copyJournal(stage: string, tell: Tell): AsyncIterable<CopiedBucket>;
};

type CopiedBucket = {
  readonly path: string;
  /** Unless its own file name is the bucket's. */
  readonly name?: string;
  readonly tokens: number;
};
