/** A short-lived thread that closes the buckets a slot has left behind and drops those past retention. Commits nothing. */

import { parentPort, workerData } from 'node:worker_threads';
import { closeBucket, isClosed } from './bucket-database.ts';
import { dropBuckets, listBuckets } from './bucket-files.ts';

export type CloserData = {
  readonly directory: string;
  readonly slot: string;
  readonly bucketMs: number;
  readonly retentionMs: number;
  /** The bucket that is open for appending: it and later ones, which may be open by now, are left alone. */
  readonly openMs: number;
};

/** Buckets are closed in order, so after this many closed ones in a row the earlier ones are closed too. */
const CLOSED_IN_A_ROW_MAX = 16;

const data: CloserData = workerData;

/** The slot's buckets that still have to be closed, oldest first: what is before a closed one stays closed. */
function unclosedBuckets(): readonly string[] {
  const unclosed: string[] = [];
  let closedInARow = 0;
  for (const bucket of listBuckets(data.directory).toReversed()) {
    if (bucket.slot !== data.slot || bucket.startMs >= data.openMs) continue;
    closedInARow = isClosed(bucket.path) ? closedInARow + 1 : 0;
    if (closedInARow === 0) unclosed.unshift(bucket.path);
    if (closedInARow === CLOSED_IN_A_ROW_MAX) break;
  }
  return unclosed;
}

function attempt(what: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    parentPort?.postMessage(`${what}: ${String(error)}`);
  }
}

// First, as it makes room for the rest.
attempt('dropping old journal buckets', () => {
  dropBuckets(data.directory, data.openMs - data.retentionMs, data.bucketMs);
});
attempt('closing journal buckets', () => {
  for (const path of unclosedBuckets())
    attempt('closing a journal bucket', () => closeBucket(path));
});
