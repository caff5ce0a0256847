/**
 * Takes a backup beside running servers: the main database first, the journal after it, so that whoever was given a token is known or
 * newer. Nothing counts until it has been read back. Knows not which kind of store it is.
 */

import { lstat, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../config.ts';
import type { MasterKey } from '../credentials/master-key.ts';
import type { Deps } from '../data-directory.ts';
import { openData } from '../database.ts';
import { positionOfStore } from '../stores/sql/change-log.ts';
import { auditHead, masterKeyCheck } from '../stores/sql/directory.ts';
import { executorOf } from '../stores/sqlite/executor.ts';
import { VERSION } from '../version.ts';
import {
  type Archive,
  type ArchiveWriter,
  BackupRefused,
  createArchive,
  type Manifest,
  readArchive,
} from './archive.ts';
import { nameSynced } from './files.ts';
import { requireSeal, sealOf } from './seal.ts';
import type { Source } from './source.ts';
import { sourceOf } from './source-of.ts';
import type { Tell } from './tell.ts';

type BackupDeps = Deps & { readonly tell: Tell };

/** Takes the backup into a new file. Throws `BackupRefused`, with nothing left behind. */
export async function takeBackup(config: Config, file: string, deps: BackupDeps): Promise<Archive> {
  const source = sourceOf(config, deps);
  await source.requireStore();
  const found = await lstat(file).catch(() => undefined);
  if (found !== undefined) throw new BackupRefused(`${file} exists: a backup replaces nothing`);
  const stage = `${file}.partial`;
  await mkdir(stage, { mode: 0o700 }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'EEXIST') throw new BackupRefused(`${file}: ${error.message}`);
    throw new BackupRefused(
      `${stage} exists: another backup is being taken to this file, or one was cut off; ` +
        'then remove it and repeat',
    );
  });
  try {
    return await takeInto(stage, { source, config, file, deps });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function takeInto(
  stage: string,
  of: { source: Source; config: Config; file: string; deps: BackupDeps },
): Promise<Archive> {
  const { source, config, file, deps } = of;
  const { clock, actor, tell } = deps;
  const { store, masterKey } = await openData(config, deps);
  const staged = join(stage, 'archive');
  try {
    const sha256 = await writeArchive(staged, { source, masterKey, tell, nowMs: clock.wallMs() });
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

type Taking = { source: Source; masterKey: MasterKey; tell: Tell; nowMs: number };

async function writeArchive(path: string, taking: Taking): Promise<string> {
  const { source, masterKey, tell, nowMs } = taking;
  const stage = dirname(path);
  const copy = join(stage, 'copy.db');
  await source.copyMain(copy, tell);
  const manifest = manifestOf(copy, nowMs);
  if (manifest.masterKeyCheck !== masterKey.fingerprint()) {
    throw new BackupRefused('the store was put under another master key meanwhile: repeat');
  }
  const archive = await createArchive(path, manifest);
  try {
    await archive.add('countersign.db', copy);
    await rm(copy);
    const tokens = await addJournal(archive, source.copyJournal(stage, tell));
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

/** Adds bucket after bucket, each removed before the next is asked for; returns how many tokens are in them. */
async function addJournal(
  archive: ArchiveWriter,
  buckets: ReturnType<Source['copyJournal']>,
): Promise<number> {
  let tokens = 0;
  for await (const bucket of buckets) {
    tokens += bucket.tokens;
    await archive.add(`journal/${bucket.name ?? basename(bucket.path)}`, bucket.path);
    await rm(bucket.path);
  }
  return tokens;
}
