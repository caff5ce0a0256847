/** One bucket as an SQLite database: its schema, how it is opened, closed and read. Knows no thread and no batching. */

import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Stands in `user_version`; a file with a higher one was written by a newer release. */
const SCHEMA_VERSION = 1;

/** How long a connection waits for another one's lock; readers hold theirs for milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;

/** Page cache while an index is built, so that the sort of a full bucket spills less. */
const INDEX_CACHE_KIB = 65_536;

const SCHEMA = `
  CREATE TABLE tokens (
    issued_at_ms INTEGER NOT NULL CHECK (issued_at_ms >= 0),
    lifetime_s   INTEGER NOT NULL CHECK (lifetime_s > 0),
    client       INTEGER NOT NULL CHECK (client BETWEEN 0 AND 4294967295),
    generation   INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
    secret       INTEGER NOT NULL CHECK (secret BETWEEN 0 AND 4294967295),
    scope_set    INTEGER NOT NULL CHECK (scope_set BETWEEN 0 AND 4294967295),
    resource     INTEGER NOT NULL CHECK (resource BETWEEN 0 AND 4294967295),
    jti          BLOB    NOT NULL CHECK (length(jti) = 12),
    address      BLOB    NOT NULL CHECK (length(address) = 16)
  ) STRICT`;

/** 'OFF' is there for the negative controls of the durability tests: it loses acknowledged rows in a power cut. */
export type Synchronous = 'FULL' | 'OFF';

export type AppendableBucket = {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly begin: StatementSync;
  readonly commit: StatementSync;
};

/** Opens a bucket for its one writer, creating what is missing; what a crash left in the WAL is recovered. */
export function openForAppending(path: string, synchronous: Synchronous): AppendableBucket {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    prepareForAppending(database, path, synchronous);
    return {
      database,
      insert: database.prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Gives a bucket its index and turns it into a single plain file. Throws when it cannot; trying again is harmless. */
export function closeBucket(path: string): void {
  const { database } = openForAppending(path, 'FULL');
  try {
    database.exec(`PRAGMA cache_size = -${INDEX_CACHE_KIB}`);
    database.exec('CREATE INDEX IF NOT EXISTS tokens_by_client ON tokens (client, issued_at_ms)');
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    // Without it every read-only reader would leave a -wal and a -shm file beside each bucket it looked into. Last, as
    // it alone needs the file to itself.
    database.exec('PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}

/** Opens a bucket for reading beside its writer; undefined when its first batch is still being written. */
export function openForReading(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    if (refuseNewerSchema(database, path) === SCHEMA_VERSION) return database;
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

/** Whether `closeBucket` has done all of its work. */
export function isClosed(path: string): boolean {
  const database = openForReading(path);
  try {
    const { journal_mode: mode } = { ...database?.prepare('PRAGMA journal_mode').get() };
    return mode === 'delete' && database?.prepare('PRAGMA index_list(tokens)').get() !== undefined;
  } finally {
    database?.close();
  }
}

function prepareForAppending(database: DatabaseSync, path: string, synchronous: Synchronous): void {
  // First, and before any write: a file of a newer release is left as it is.
  const version = refuseNewerSchema(database, path);
  // Before the rest, as it changes what `synchronous` means: in WAL a commit is one write and one fsync of one file.
  const { journal_mode: mode } = { ...database.prepare('PRAGMA journal_mode = WAL').get() };
  if (mode !== 'wal') throw new Error(`${path}: SQLite cannot keep a write-ahead log here`);
  // NORMAL would fsync at checkpoints only, and a power cut would take acknowledged rows along.
  database.exec(`PRAGMA synchronous = ${synchronous}`);
  // macOS: fsync alone stops at the drive's cache.
  database.exec('PRAGMA fullfsync = ON');
  // What a crash or a failed fsync left in the log becomes part of the file, or nothing is appended behind it.
  const { busy } = { ...database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() };
  if (busy !== 0) throw new Error(`${path}: another process holds the file`);
  if (version === 0) {
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  }
}

function refuseNewerSchema(database: DatabaseSync, path: string): number {
  const { user_version: version } = { ...database.prepare('PRAGMA user_version').get() };
  if (typeof version !== 'number') throw new Error(`${path}: has no schema version`);
  if (version <= SCHEMA_VERSION) return version;
  throw new Error(
    `${path}: has journal schema ${version}, this release knows ${SCHEMA_VERSION}; run the newer release`,
  );
}
