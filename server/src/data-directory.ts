/** A data directory: made on first use, its schema brought up to date, its master key found or made. */

import { constants } from 'node:fs';
import { access, chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { baseUrlOf, type Config } from './config.ts';
import { KeyRing } from './credentials/key-ring.ts';
import { createMasterKeyFile, loadMasterKey, type MasterKey } from './credentials/master-key.ts';
import { BUCKET_MS } from './journal/bucket-files.ts';
import { openJournal } from './journal/journal.ts';
import { openJournalReader } from './journal/reader.ts';
import type { Clock, Randomness } from './ports/clock.ts';
import type { Journal, JournalReader } from './ports/journal.ts';
import { masterKeyCheck } from './stores/sql/directory.ts';
import { requireUpToDate } from './stores/sql/migrations/plan.ts';
import { initialise } from './stores/sqlite/append.ts';
import { closedBecause } from './stores/sqlite/closed.ts';
import { connectWriter } from './stores/sqlite/connect.ts';
import { executorOf } from './stores/sqlite/executor.ts';
import { migrate, planOf } from './stores/sqlite/migrate.ts';
import { databasePath, openStore } from './stores/sqlite/store.ts';
import type { Store } from './stores/store.ts';

/** The journal that goes with a store: for the node that appends, and for whoever reads. */
type OpenedJournal = {
  open(options: {
    /** Name that no other living process uses with this store. */
    readonly slot: string;
    readonly onTrouble: (message: string) => void;
  }): Promise<Journal>;
  readonly reader: JournalReader;
  /** How long after a token was used its row is found by an index. */
  readonly indexedAfterMs: number;
};

export type OpenedData = {
  readonly store: Store;
  readonly masterKey: MasterKey;
  /** Where a master key was made just now: the operator must hear of it once. */
  readonly newMasterKeyFile: string | undefined;
  readonly journal: OpenedJournal;
};

export const journalDirectory = (config: Config): string => join(config.data, 'journal');

/** The data directory cannot be used; the message says why and how to mend it. */
class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
}

export type Deps = {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly actor: string;
  /** For whoever may use a store and never make one. */
  readonly mustExist?: true;
  /** Told what a server waits for before it decides. */
  readonly tell?: (message: string) => void;
};

/** Opens the data directory, making what is missing. Throws `DataDirectoryError`, `MasterKeyError` or a refusal of the schema. */
export async function openDataDirectory(config: Config, deps: Deps): Promise<OpenedData> {
  const path = databasePath(config.data);
  const isNew = !(await exists(path));
  if (isNew) requireMayMake(config, deps);
  await prepareDirectory(config.data);
  const { masterKey, newMasterKeyFile } = await masterKeyOf(config, isNew, deps.randomness);
  prepareDatabase(config, path, { ...deps, masterKey });
  const store = openStore({
    dataDirectory: config.data,
    clock: deps.clock,
    randomness: deps.randomness,
    masterKeyCheck: masterKey.fingerprint(),
  });
  const directory = journalDirectory(config);
  return {
    store,
    masterKey,
    newMasterKeyFile,
    journal: {
      open: (options) => openJournal({ ...options, directory, clock: deps.clock }),
      reader: openJournalReader({ directory }),
      // Its bucket is closed by then, and the one after it, should it have been late.
      indexedAfterMs: 2 * BUCKET_MS,
    },
  };
}

function requireMayMake(config: Config, { mustExist }: Deps): void {
  if (mustExist !== true) return;
  throw new DataDirectoryError(
    `--data ${config.data}: there is no store; name the data directory of the authority (COUNTERSIGN_DATA), or its database`,
  );
}

export async function prepareDirectory(directory: string): Promise<void> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    // mkdir's mode is cut by the umask, never widened; a directory that was there stays as its owner made it.
    if (made !== undefined) await chmod(directory, 0o700);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!(await stat(directory)).isDirectory()) throw new Error('it is not a directory');
  } catch (error) {
    throw new DataDirectoryError(
      `--data ${directory}: cannot be used: ${(error as Error).message}; ` +
        'choose a directory that this user may write to',
    );
  }
}

/** Loads the key; makes one where the data are new and none is configured. */
export async function masterKeyOf(
  config: Config,
  isNew: boolean,
  random: Randomness,
): Promise<{ masterKey: MasterKey; newMasterKeyFile: string | undefined }> {
  const load = (source: Parameters<typeof loadMasterKey>[0]): Promise<MasterKey> =>
    loadMasterKey(source, { random });
  if (config.masterKey !== undefined) {
    return { masterKey: await load({ value: config.masterKey }), newMasterKeyFile: undefined };
  }
  if (config.masterKeyCommand !== undefined) {
    return {
      masterKey: await load({ command: config.masterKeyCommand }),
      newMasterKeyFile: undefined,
    };
  }
  const file = config.masterKeyFile ?? join(config.data, 'master.key');
  // A store without its key is never given a new one: its secrets and tokens would be lost for good.
  const makes = isNew && config.masterKeyFile === undefined && !(await exists(file));
  if (makes) await createMasterKeyFile(file, random).catch(ifAnotherProcessMadeIt(file));
  return {
    masterKey: await load({ file }),
    newMasterKeyFile: makes ? file : undefined,
  };
}

function ifAnotherProcessMadeIt(file: string): (error: unknown) => Promise<void> {
  return async (error) => {
    if (!(await exists(file))) throw error;
  };
}

/** Migrates, writes a new store's first rows, and proves that the master key is the store's own. */
function prepareDatabase(
  config: Config,
  path: string,
  deps: Deps & { masterKey: MasterKey },
): void {
  const connection = openedOrExplained(path);
  try {
    const closed = closedBecause(connection);
    if (closed !== undefined) throw new DataDirectoryError(`--data ${config.data}: ${closed}`);
    if (config.migrations === 'off') requireUpToDate(path, planOf(connection, path));
    migrate(connection, path);
    const executor = executorOf(connection);
    const { masterKey } = deps;
    const known = executor.read(() => masterKeyCheck());
    if (known === undefined) {
      requireMayMake(config, deps);
      executor.write(() => initialise(initialStore(config, deps)));
    }
    const check = executor.read(() => masterKeyCheck());
    if (check !== masterKey.fingerprint()) {
      throw new DataDirectoryError(
        `--data ${config.data}: was made under another master key (check ${check}, given ` +
          `${masterKey.fingerprint()}); start with the key that it was made under`,
      );
    }
  } finally {
    connection.close();
  }
}

export function openedOrExplained(path: string): ReturnType<typeof connectWriter> {
  try {
    return connectWriter(path);
  } catch (error) {
    throw new DataDirectoryError(`${path}: cannot be opened: ${(error as Error).message}`);
  }
}

/** The first rows of a new store, with fresh keys. */
export function initialStore(
  config: Config,
  deps: Deps & { masterKey: MasterKey },
): Parameters<typeof initialise>[0] {
  const { randomness, clock, actor, masterKey } = deps;
  const keyRing = new KeyRing(masterKey);
  const id = (): string => randomness.bytes(9).toString('base64url');
  return {
    incarnation: id(),
    changeId: id(),
    masterKeyCheck: masterKey.fingerprint(),
    actor,
    atMs: clock.wallMs(),
    environments: config.environments.map(({ name, tag, issuer }) => ({
      name,
      tag,
      issuer: issuer ?? `${baseUrlOf(config)}/${name}`,
    })),
    keys: config.environments.flatMap(({ name }) =>
      (['token', 'secret'] as const).map((purpose) => ({
        purpose,
        environment: name,
        version: 1,
        wrapped: keyRing.newRoot({ purpose, environment: name, version: 1 }, randomness),
      })),
    ),
  };
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
