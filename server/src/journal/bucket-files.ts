/** The files of the journal's folder: how buckets are named, found and dropped. Never opens one: only SQLite may. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** How much wall time shares a file. */
export const BUCKET_MS = 10 * 60_000;

/** How long a bucket is kept: 13 months of at most 31 days. */
export const RETENTION_MS = 13 * 31 * 24 * 3_600_000;

const MINUTE_MS = 60_000;
const NAME = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)Z\.([A-Za-z0-9-]{1,32})\.db(-wal|-shm|-journal)?$/;

export type BucketFile = {
  readonly path: string;
  readonly startMs: number;
  /** The node that writes it, alone. */
  readonly slot: string;
};

export function bucketStart(wallMs: number, bucketMs: number): number {
  return Math.floor(wallMs / bucketMs) * bucketMs;
}

/** The file of a bucket; no colon stands in its name, so that any file system takes it. */
export function bucketFile(directory: string, startMs: number, slot: string): BucketFile {
  const minute = new Date(startMs).toISOString().slice(0, 16).replaceAll(':', '-');
  return { path: join(directory, `${minute}Z.${slot}.db`), startMs, slot };
}

/** Throws a RangeError when the names of this slot's buckets could not be told from others'. */
export function assertNameable(slot: string, bucketMs: number): void {
  if (!NAME.test(`2026-01-01T00-00Z.${slot}.db`)) {
    throw new RangeError('a journal slot is 1 to 32 letters, digits or hyphens');
  }
  if (bucketMs < MINUTE_MS || bucketMs % MINUTE_MS !== 0) {
    throw new RangeError('a journal bucket is a whole number of minutes');
  }
}

/** All buckets of the folder, oldest first. A folder that is not there yet has none. */
export function listBuckets(directory: string): readonly BucketFile[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.db'))
    .flatMap((name) => parseName(directory, name) ?? [])
    .sort((one, other) => one.startMs - other.startMs || (one.slot < other.slot ? -1 : 1));
}

/** Removes the buckets that ended by `beforeMs`, whole, and what a crash left beside dropped ones. Returns how many. */
export function dropBuckets(directory: string, beforeMs: number, bucketMs = BUCKET_MS): number {
  let dropped = 0;
  for (const name of namesIn(directory)) {
    const file = parseName(directory, name);
    if (file === undefined || file.startMs + bucketMs > beforeMs) continue;
    rmSync(file.path, { force: true });
    if (name.endsWith('.db')) dropped += 1;
  }
  return dropped;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function parseName(directory: string, name: string): BucketFile | undefined {
  const [, hour, minute, slot] = NAME.exec(name) ?? [];
  if (slot === undefined) return undefined;
  const startMs = Date.parse(`${hour}:${minute}:00Z`);
  return Number.isNaN(startMs) ? undefined : { path: join(directory, name), startMs, slot };
}
