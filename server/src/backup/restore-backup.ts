/**
 * Restores a backup into a data directory or a database that has no store. Everything is checked, then written aside and made a
 * store of its own; only then it gets its place, so that no server can meet it half-way.
 */

import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import type { MasterKey } from '../credentials/master-key.ts';
import { type Deps, journalDirectory, masterKeyOf, prepareDirectory } from '../data-directory.ts';
import { SCHEMA_VERSION } from '../stores/sql/migrations/steps.ts';
import { restoreDatabase } from '../stores/sqlite/restore.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { type Archive, BackupRefused, readArchive, type Sink } from './archive.ts';
import { putIntoDatabase, requireEmpty } from './database-target.ts';
import { exists, nameSynced, syncDirectory, syncFile } from './files.ts';
import { newLife } from './new-life.ts';
import { hasRunningServer } from './running-servers.ts';
import { requireSeal } from './seal.ts';
import type { Tell } from './tell.ts';

export type Restored = {
  readonly archive: Archive;
  readonly incarnation: string;
  /** Number of the change that the restore is. */
  readonly sequence: number;
};

type RestoreDeps = Deps & { readonly tell: Tell; readonly keepActive: boolean };

/** Throws `BackupRefused` or `MasterKeyError`, with nothing changed. */
export async function restoreBackup(
  config: Config,
  file: string,
  deps: RestoreDeps,
): Promise<Restored> {
  const { data, databaseUrl } = config;
  await (databaseUrl === undefined ? refuseOccupied(config) : requireEmpty(databaseUrl, deps));
  deps.tell('checking the backup');
  const archive = await readArchive(file);
  const masterKey = await judge(archive, { config, file, deps });
  await prepareDirectory(data);
  const stage = join(data, 'restore.partial');
  await mkdir(stage, { mode: 0o700 }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'EEXIST') throw error;
    throw new BackupRefused(
      `${stage} exists: another restore is under way, or one was cut off; then remove it and repeat`,
    );
  });
  try {
    await extract(file, { stage, archive, tell: deps.tell });
    const made = beginAnew(databasePath(stage), { archive, masterKey, deps });
    await (databaseUrl === undefined
      ? putInPlace(config, stage)
      : putIntoDatabase(databaseUrl, stage, deps));
    return { archive, ...made };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function refuseOccupied(config: Config): Promise<void> {
  const { data } = config;
  if (await hasRunningServer(data)) {
    throw new BackupRefused(
      `a server runs on ${data}: stop it, and restore into a directory without a store`,
    );
  }
  const path = databasePath(data);
  for (const occupied of [path, `${path}-wal`, `${path}-shm`]) {
    if (!(await exists(occupied))) continue;
    throw new BackupRefused(
      `${data} holds a store already: a restore replaces nothing; choose another directory`,
    );
  }
  const buckets = await readdir(journalDirectory(config)).catch(() => []);
  if (buckets.length === 0) return;
  throw new BackupRefused(
    `${data} holds a journal without its store: move ${journalDirectory(config)} away first`,
  );
}

async function judge(
  archive: Archive,
  { config, file, deps }: { config: Config; file: string; deps: Deps },
): Promise<MasterKey> {
  const { schema, version, masterKeyCheck } = archive.manifest;
  if (schema > SCHEMA_VERSION) {
    throw new BackupRefused(
      `${file} has schema ${schema}, this Countersign knows ${SCHEMA_VERSION}: ` +
        `restore it with version ${version}, which took it, or a later one`,
    );
  }
  const { masterKey } = await masterKeyOf(config, false, deps.randomness);
  if (masterKey.fingerprint() !== masterKeyCheck) {
    throw new BackupRefused(
      `${file} was taken under another master key (check ${masterKeyCheck}, given ` +
        `${masterKey.fingerprint()}): give that key, for instance with --master-key-file`,
    );
  }
  requireSeal(masterKey, archive, file);
  return masterKey;
}

/** Writes the parts out. The file is read a second time, so it has to prove again to be the same. */
async function extract(
  file: string,
  { stage, archive, tell }: { stage: string; archive: Archive; tell: Tell },
): Promise<void> {
  await mkdir(join(stage, 'journal'), { mode: 0o700 });
  let begun = 0;
  const again = await readArchive(file, async (name) => {
    begun += 1;
    tell(`writing part ${begun} of ${archive.parts}`);
    return await sinkTo(join(stage, dirname(name), basename(name)));
  });
  if (again.sha256 !== archive.sha256) throw new BackupRefused(`${file} was changed meanwhile`);
  await syncDirectory(join(stage, 'journal'));
}

async function sinkTo(path: string): Promise<Sink> {
  const file = await open(path, 'wx', 0o600);
  return async (chunk) => {
    if (chunk !== undefined) return await file.writeFile(chunk);
    await file.sync();
    await file.close();
  };
}

function beginAnew(
  path: string,
  of: { archive: Archive; masterKey: MasterKey; deps: RestoreDeps },
): Omit<Restored, 'archive'> {
  const { sha256, manifest } = of.archive;
  const life = newLife(of.masterKey, of.deps);
  const { sequence } = restoreDatabase(path, {
    ...life,
    backup: { sha256, takenAtMs: manifest.takenAtMs },
  });
  return { incarnation: life.incarnation, sequence };
}

/** The journal first: there is a store from the moment that its database has its name, and not before. */
async function putInPlace(config: Config, stage: string): Promise<void> {
  const journal = journalDirectory(config);
  await syncFile(databasePath(stage));
  await rename(join(stage, 'journal'), journal);
  try {
    await nameSynced(databasePath(stage), databasePath(config.data));
  } catch (error) {
    await rename(journal, join(stage, 'journal'));
    throw new BackupRefused(
      `${config.data}: the restored store cannot be put in place: ${(error as Error).message}`,
    );
  }
}
