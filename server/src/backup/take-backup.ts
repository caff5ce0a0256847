/**
 * Takes a backup of a data directory beside its running servers: the main database first, the journal after it, so that whoever was
 * given a token is known or newer. Everything is copied through SQLite; nothing counts until it has been read back.
 */

import { existsSync } from 'node:fs';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../config.ts';
import type { MasterKey } from '../credentials/master-key.ts';
import { type Deps, journalDirectory, openDataDirectory } from '../data-directory.ts';
import { openForReading } from '../journal/bucket-database.ts';
import { type BucketFile, listBuckets } from '../journal/bucket-files.ts';
import { positionOfStore } from '../stores/sql/change-log.ts';
import { auditHead, masterKeyCheck } from '../stores/sql/directory.ts';
import { connectReader } from '../stores/sqlite/connect.ts';
import { executorOf } from '../stores/sqlite/executor.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { VERSION } from '../version.ts';
import {
  type Archive,
  type ArchiveWriter,
  BackupRefused,
  createArchive,
  type Manifest,
  readArchive,
} from './archive.ts';
import { copyDatabase } from './copy-database.ts';
import { exists, nameSynced } from './files.ts';
import { requireSeal, sealOf } from './seal.ts';

/** Told what is being done now, often; whoever asked decides what to show of it. */
export type Tell = (doing: string) => void;

/** Takes the backup into a new file. Throws `BackupRefused`, with nothing left behind. */
export async function takeBackup(
  config: Config,
  file: string,
  deps: Deps & { readonly tell: Tell },
): Promise<Archive> {
  await refuseImpossible(config, file);
  const stage = `${file}.partial`;
  await mkdir(stage, { mode: 0o700 }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'EEXIST') throw new BackupRefused(`${file}: ${error.message}`);
    throw new BackupRefused(
      `${stage} exists: another backup is being taken to this file, or one was cut off; ` +
        'then remove it and repeat',
    );
  });
  try {
    return await takeInto(stage, { config, file, deps });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function refuseImpossible(config: Config, file: string): Promise<void> {
  if (config.databaseUrl !== undefined) {
    throw new BackupRefused(
      'a PostgreSQL store is backed up with the means of PostgreSQL (base backups and its log), not with this command',
    );
  }
  if (!(await exists(databasePath(config.data)))) {
    throw new BackupRefused(`${config.data} holds no store: choose the data directory with --data`);
  }
  const found = await lstat(file).catch(() => undefined);
  if (found !== undefined) throw new BackupRefused(`${file} exists: a backup replaces nothing`);
}

async function takeInto(
  stage: string,
  { config, file, deps }: { config: Config; file: string; deps: Deps & { readonly tell: Tell } },
): Promise<Archive> {
  const { clock, actor, tell } = deps;
  const { store, masterKey } = await openDataDirectory(config, deps);
  const staged = join(stage, 'archive');
  try {
    const sha256 = await writeArchive(staged, { config, masterKey, tell, nowMs: clock.wallMs() });
    tell('reading it back');
    const archive = await readArchive(staged);
    if (archive.sha256 !== sha256) throw new BackupRefused(`${file} is not what was written to it`);
    requireSeal(masterKey, archive, file);
    // Before the file gets its name: nobody takes a copy of everything unrecorded.
    await store.record({
      actor,
      atMs: clock.wallMs(),
      action: 'store.backup',
      target: sha256,
      detail: { sequence: archive.manifest.sequence, tokens: archive.tokens },
    });
    await nameSynced(staged, file);
    return archive;
  } finally {
    await store.close();
  }
}

type Taking = { config: Config; masterKey: MasterKey; tell: Tell; nowMs: number };

async function writeArchive(path: string, taking: Taking): Promise<string> {
  const { config, masterKey, tell, nowMs } = taking;
  const copy = join(dirname(path), 'copy.db');
  await copyDatabase(connectReader(databasePath(config.data)), copy, (share) =>
    tell(`copying the database, ${Math.floor(share * 100)} %`),
  );
  const manifest = manifestOf(copy, nowMs);
  if (manifest.masterKeyCheck !== masterKey.fingerprint()) {
    throw new BackupRefused('the store was put under another master key meanwhile: repeat');
  }
  const archive = await createArchive(path, manifest);
  try {
    await archive.add('countersign.db', copy);
    await rm(copy);
    const tokens = await addJournal(archive, copy, taking);
    return await archive.end(tokens, (hash) => sealOf(masterKey, hash));
  } finally {
    await archive.close();
  }
}

function manifestOf(path: string, takenAtMs: number): Manifest {
  const connection = new DatabaseSync(path, { readOnly: true });
  try {
    const executor = executorOf(connection);
    const count = (table: string): number =>
      Number(connection.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
    const { incarnation, sequence } = executor.read(() => positionOfStore());
    return {
      version: VERSION,
      schema: Number(connection.prepare('PRAGMA user_version').get()?.['user_version']),
      incarnation,
      sequence,
      takenAtMs,
      auditHead: executor.read(() => auditHead()),
      masterKeyCheck: executor.read(() => masterKeyCheck()) ?? '',
      programs: count('programs'),
      clients: count('clients'),
      secrets: count('secrets'),
    };
  } finally {
    connection.close();
  }
}

/** Adds the buckets there are by now, one copy at a time; returns how many tokens are in them. */
async function addJournal(archive: ArchiveWriter, copy: string, taking: Taking): Promise<number> {
  const buckets = listBuckets(journalDirectory(taking.config));
  let tokens = 0;
  for (const [index, bucket] of buckets.entries()) {
    taking.tell(`copying the journal, file ${index + 1} of ${buckets.length}`);
    const source = openedUnlessGone(bucket);
    if (source === undefined) continue;
    // Nothing is ever taken out of a bucket, so its last row's number is how many it has.
    await copyDatabase(source, copy);
    const reading = new DatabaseSync(copy, { readOnly: true });
    tokens += Number(reading.prepare('SELECT max(rowid) AS n FROM tokens').get()?.['n'] ?? 0);
    reading.close();
    await archive.add(`journal/${basename(bucket.path)}`, copy);
    await rm(copy);
  }
  return tokens;
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
