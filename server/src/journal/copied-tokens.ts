/** Tokens on their way between bucket files and another form of the journal: buckets filled in any order, or read by the page. */

import type { DatabaseSync } from 'node:sqlite';
import type { Row } from './batch.ts';
import {
  type AppendableBucket,
  closeBucket,
  openForAppending,
  openForReading,
} from './bucket-database.ts';
import { BUCKET_MS, bucketFile, bucketStart } from './bucket-files.ts';

/** A token as its row stands in a bucket. */
export type CopiedToken = Readonly<Row>;

/** Of a database that commits nearly in order a few are in use at a time; one that was closed is opened again. */
const OPEN_BUCKETS_MAX = 8;
const ROWS_PER_PAGE = 5_000;
/** No server writes buckets of this name, so none of them is ever appended to. */
const SLOT = 'copied';

export type BucketFiller = {
  /** Puts tokens into their buckets, each commit a page. */
  add(tokens: readonly { readonly bucketMs: number; readonly token: CopiedToken }[]): void;
  /** Closes all buckets and returns them, oldest first. */
  end(): readonly { readonly path: string; readonly tokens: number }[];
};

/** Fills new buckets in a folder. What it writes is not synced: whoever keeps the files does that. */
export function fillBuckets(directory: string): BucketFiller {
  const open = new Map<number, AppendableBucket>();
  const counts = new Map<number, number>();
  const pathOf = (startMs: number): string => bucketFile(directory, startMs, SLOT).path;
  const bucketOf = (startMs: number): AppendableBucket => {
    const known = open.get(startMs);
    if (known !== undefined) return known;
    const [oldest] = open.keys();
    if (open.size >= OPEN_BUCKETS_MAX && oldest !== undefined) {
      open.get(oldest)?.database.close();
      open.delete(oldest);
    }
    const bucket = openForAppending(pathOf(startMs), 'OFF');
    open.set(startMs, bucket);
    return bucket;
  };
  return {
    add: (tokens) => {
      const byBucket = Map.groupBy(tokens, ({ bucketMs }) => bucketStart(bucketMs, BUCKET_MS));
      for (const [startMs, own] of byBucket) {
        const { begin, insert, commit } = bucketOf(startMs);
        begin.run();
        for (const { token } of own) insert.run(...token);
        commit.run();
        counts.set(startMs, (counts.get(startMs) ?? 0) + own.length);
      }
    },
    end: () => {
      for (const { database } of open.values()) database.close();
      return [...counts]
        .sort(([one], [other]) => one - other)
        .map(([startMs, tokens]) => {
          closeBucket(pathOf(startMs));
          return { path: pathOf(startMs), tokens };
        });
    },
  };
}

/** The tokens of a bucket that nobody writes to, a page at a time. */
export function* tokenPages(path: string): Generator<readonly CopiedToken[]> {
  const database: DatabaseSync | undefined = openForReading(path);
  if (database === undefined) return;
  try {
    let page: CopiedToken[] = [];
    for (const row of database.prepare('SELECT * FROM tokens').iterate()) {
      page.push(Object.values(row) as unknown as CopiedToken);
      if (page.length < ROWS_PER_PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  } finally {
    database.close();
  }
}
