/**
 * The thread that commits batches: it owns the slot's open bucket, and answers a batch only when its fsync has returned.
 * It refuses to know who waits for the answer.
 */

import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { batchCount, batchWallMs, readRow, viewBatch } from './batch.ts';
import type { CloserData } from './bucket-closer-worker.ts';
import {
  type AppendableBucket,
  closeBucket,
  openForAppending,
  openForReading,
  type Synchronous,
} from './bucket-database.ts';
import { bucketFile, bucketStart, listBuckets } from './bucket-files.ts';

export type JournalWorkerData = {
  readonly directory: string;
  readonly slot: string;
  readonly bucketMs: number;
  readonly retentionMs: number;
  /** Wall time of the opening: buckets before it are left behind. */
  readonly nowMs: number;
  readonly synchronous: Synchronous;
  readonly answerBeforeCommit: boolean;
};

/** A committed batch is answered with its bare buffer, as objects cost twice as much; all else is rare. */
export type JournalAnswer =
  | ArrayBuffer
  | { readonly is: 'ready' }
  | { readonly is: 'unusable'; readonly message: string }
  | { readonly is: 'failed'; readonly message: string; readonly buffer: ArrayBuffer }
  | { readonly is: 'trouble'; readonly message: string };

/** A bucket with more rows than this is left to the next opening, so that stopping takes seconds at most. */
const ROWS_INDEXED_AT_CLOSE_MAX = 1_000_000;

/** For the negative control: how long after its answer a batch is committed. */
const ANSWER_AHEAD_MS = 5_000;

const data: JournalWorkerData = workerData;
const port = parentPort;
if (port === null) throw new Error('runs as a worker thread only');

let open: (AppendableBucket & { readonly startMs: number; readonly path: string }) | undefined;
let failuresInARow = 0;
let closer: Promise<void> | undefined;
let closeNextMs: number | undefined;

function answer(message: JournalAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function commit(buffer: ArrayBuffer): void {
  const batch = viewBatch(buffer);
  const bucket = enterBucket(bucketStart(batchWallMs(batch), data.bucketMs));
  const count = batchCount(batch);
  bucket.begin.run();
  for (let index = 0; index < count; index += 1) bucket.insert.run(...readRow(batch, index));
  bucket.commit.run();
  failuresInARow = 0;
}

/** The open bucket, after leaving another one. A clock that was set back reopens the earlier one: it may get rows again. */
function enterBucket(startMs: number): AppendableBucket {
  if (open?.startMs === startMs) return open;
  const left = open;
  leaveBucket();
  const { path } = bucketFile(data.directory, startMs, data.slot);
  open = { ...openForAppending(path, data.synchronous), startMs, path };
  if (left !== undefined) closeLeftBuckets(startMs);
  return open;
}

function leaveBucket(): void {
  const left = open;
  open = undefined;
  left?.database.close();
}

/**
 * The connection is kept after a first failure, as SQLite then overwrites what it could not sync; a reopened log could
 * count a batch as committed that only stands in the page cache. A second failure in a row ends it all the same.
 */
function recover(): void {
  failuresInARow += 1;
  try {
    if (open?.database.isTransaction) open.database.exec('ROLLBACK');
    if (failuresInARow > 1) leaveBucket();
  } catch {
    open = undefined;
  }
}

function take(buffer: ArrayBuffer): void {
  if (data.answerBeforeCommit) {
    const copy = buffer.slice(0);
    answer(buffer, [buffer]);
    setTimeout(() => commit(copy), ANSWER_AHEAD_MS);
    return;
  }
  try {
    commit(buffer);
  } catch (error) {
    recover();
    answer({ is: 'failed', message: String(error), buffer }, [buffer]);
    return;
  }
  answer(buffer, [buffer]);
}

/** Closes the slot's earlier buckets and drops old ones, in a thread of its own: the index of a full bucket takes seconds. */
function closeLeftBuckets(openMs: number): void {
  if (closer !== undefined) {
    closeNextMs = openMs;
    return;
  }
  const { directory, slot, bucketMs, retentionMs } = data;
  const closerData: CloserData = { directory, slot, bucketMs, retentionMs, openMs };
  const worker = new Worker(new URL('./bucket-closer-worker.ts', import.meta.url), {
    workerData: closerData,
  });
  worker.on('message', (message: string) => answer({ is: 'trouble', message }));
  worker.on('error', (error) => answer({ is: 'trouble', message: String(error) }));
  closer = new Promise((exited) => worker.on('exit', exited)).then(() => {
    const nextMs = closeNextMs;
    closer = undefined;
    closeNextMs = undefined;
    if (nextMs !== undefined) closeLeftBuckets(nextMs);
  });
}

async function stop(): Promise<void> {
  try {
    leaveLastBucket();
  } catch (error) {
    answer({ is: 'trouble', message: String(error) });
  }
  while (closer !== undefined) await closer;
  port?.close();
}

function leaveLastBucket(): void {
  const last = open;
  const { rows } = { ...last?.database.prepare('SELECT max(rowid) AS rows FROM tokens').get() };
  leaveBucket();
  if (last !== undefined && Number(rows) <= ROWS_INDEXED_AT_CLOSE_MAX) closeBucket(last.path);
}

/** Refuses a folder that cannot be written or that a newer release has written to, before the first token needs it. */
function start(): void {
  const directory = resolve(data.directory);
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) syncParents(directory, dirname(made));
  accessSync(data.directory, constants.R_OK | constants.W_OK | constants.X_OK);
  const newest = listBuckets(data.directory).at(-1);
  if (newest !== undefined) openForReading(newest.path)?.close();
  closeLeftBuckets(bucketStart(data.nowMs, data.bucketMs));
}

/** SQLite syncs the folder in which it makes a log; that the folder itself survives a power cut is up to us. */
function syncParents(directory: string, last: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const parent = dirname(directory);
  const descriptor = openSync(parent, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (parent !== last) syncParents(parent, last);
}

port.on('message', (message: ArrayBuffer | 'close') => {
  if (message === 'close') void stop();
  else take(message);
});
try {
  start();
  answer({ is: 'ready' });
} catch (error) {
  answer({ is: 'unusable', message: String(error) });
  port.close();
}
