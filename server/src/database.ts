/** A PostgreSQL database: its schema brought up to date, a new one's first rows written, its master key found. */

import { join } from 'node:path';
import type { Config } from './config.ts';
import {
  type Deps,
  exists,
  initialStore,
  masterKeyOf,
  type OpenedData,
  openDataDirectory,
  prepareDirectory,
} from './data-directory.ts';
import { openPostgresJournal } from './journal/postgres-journal.ts';
import { openPostgresReader } from './journal/postgres-reader.ts';
import { type Connections, openConnections } from './stores/postgres/connections.ts';
import { contentOf } from './stores/postgres/copied-tables.ts';
import { read } from './stores/postgres/executor.ts';
import { checkServer, initialiseOnce, migrate, planOf } from './stores/postgres/migrate.ts';
import { openPostgresStore } from './stores/postgres/store.ts';
import { masterKeyCheck } from './stores/sql/directory.ts';
import { requireUpToDate } from './stores/sql/migrations/plan.ts';

/** One batch is in flight at a time. */
const JOURNAL_CONNECTIONS_MAX = 1;
const READING_CONNECTIONS_MAX = 2;

/** A large table takes its time, and so does waiting for another node that migrates. */
export const MIGRATION_MS_MAX = 600_000;

/** The database cannot be used as it is configured; the message says why and how to mend it. */
class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

/** Opens the store that the configuration names: a database, or else a data directory. */
export function openData(config: Config, deps: Deps): Promise<OpenedData> {
  const { databaseUrl } = config;
  if (databaseUrl === undefined) return openDataDirectory(config, deps);
  return openDatabase(config, databaseUrl, deps);
}

async function openDatabase(config: Config, databaseUrl: string, deps: Deps): Promise<OpenedData> {
  const { randomness, clock } = deps;
  const connect = (connectionsMax: number, exchangeMsMax?: number): Connections =>
    openConnections({
      databaseUrl,
      connectionsMax,
      randomness,
      ...(exchangeMsMax === undefined ? {} : { exchangeMsMax }),
    });
  // Apart from the others, which are opened afterwards: a session takes the role's settings when it begins.
  const first = connect(1, MIGRATION_MS_MAX);
  const keys = await prepare(first, config, deps).finally(() => first.close());
  const notifications = config.databaseNotifications === 'on';
  const store = openPostgresStore({
    databaseUrl,
    notifications,
    clock,
    randomness,
    masterKeyCheck: keys.masterKey.fingerprint(),
    tell: deps.tell,
  });
  const reading = connect(READING_CONNECTIONS_MAX);
  return {
    ...keys,
    store: {
      ...store,
      close: async () => {
        await store.close();
        await reading.close();
      },
    },
    journal: {
      open: ({ onTrouble }) => {
        const appending = connect(JOURNAL_CONNECTIONS_MAX);
        return openPostgresJournal({
          run: (text, values) => appending.use((session) => session.query(text, values)),
          end: () => appending.close(),
          onTrouble,
        });
      },
      reader: openPostgresReader((text, values) =>
        reading.use((session) => session.query(text, values)),
      ),
      indexedAfterMs: 0,
    },
  };
}

async function prepare(
  connections: Connections,
  config: Config,
  deps: Deps,
): Promise<Pick<OpenedData, 'masterKey' | 'newMasterKeyFile'>> {
  await checkServer(connections);
  if (deps.mustExist === true && (await connections.use(contentOf)) !== 'store') {
    throw new DatabaseError(
      '--database-url: there is no store; name the database of the authority (COUNTERSIGN_DATABASE_URL)',
    );
  }
  if (config.migrations === 'off') requireUpToDate('the database', await planOf(connections));
  await migrate(connections);
  const known = await read(connections, () => masterKeyCheck());
  if (known === undefined) await refuseUnfinished(connections);
  const keys = await keysOf(config, known === undefined, deps);
  const { masterKey } = keys;
  if (known === undefined) {
    await initialiseOnce(connections, initialStore(config, { ...deps, masterKey }));
  }
  const check = await read(connections, () => masterKeyCheck());
  if (check !== masterKey.fingerprint()) {
    throw new DatabaseError(
      `--database-url: the database was made under another master key (check ${check}, given ` +
        `${masterKey.fingerprint()}); start with the key that it was made under`,
    );
  }
  return keys;
}

/** A copy without its head row is no store yet, and must not be taken for a new one. */
async function refuseUnfinished(connections: Connections): Promise<void> {
  if ((await connections.use(contentOf)) !== 'unfinished copy') return;
  throw new DatabaseError(
    '--database-url: the database holds a copy of a store that has not come to its end: ' +
      'repeat the command that made it (countersign store copy), or drop the database',
  );
}

/** Every node needs the same key, and only the one that makes the database may make it. */
async function keysOf(
  config: Config,
  isNew: boolean,
  deps: Deps,
): Promise<Pick<OpenedData, 'masterKey' | 'newMasterKeyFile'>> {
  const isGiven =
    (config.masterKey ?? config.masterKeyFile ?? config.masterKeyCommand) !== undefined;
  if (isGiven) return masterKeyOf(config, isNew, deps.randomness);
  if (!isNew && !(await exists(join(config.data, 'master.key')))) {
    throw new DatabaseError(
      '--database-url: the database has a master key already, and this machine does not: copy it here and name it ' +
        'with --master-key-file FILE, or give it in COUNTERSIGN_MASTER_KEY or by COUNTERSIGN_MASTER_KEY_COMMAND',
    );
  }
  await prepareDirectory(config.data);
  return masterKeyOf(config, isNew, deps.randomness);
}
