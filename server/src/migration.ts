/** The schema of the store that the configuration names, without opening the rest of it: no master key, no first rows. */

import type { Config } from './config.ts';
import { exists, openedOrExplained } from './data-directory.ts';
import { MIGRATION_MS_MAX } from './database.ts';
import type { Randomness } from './ports/clock.ts';
import { openConnections } from './stores/postgres/connections.ts';
import * as postgres from './stores/postgres/migrate.ts';
import { type Migrated, SchemaRefused } from './stores/sql/migrations/plan.ts';
import * as sqlite from './stores/sqlite/migrate.ts';
import { databasePath } from './stores/sqlite/store.ts';

/** Brings the schema up to date; or, when it is only to be looked at, says what would be done. Throws `SchemaRefused`. */
export async function migrateStore(
  config: Config,
  deps: { readonly randomness: Randomness; readonly look: boolean },
): Promise<Migrated> {
  const { databaseUrl } = config;
  return databaseUrl === undefined
    ? await ofDataDirectory(config, deps.look)
    : await ofDatabase(databaseUrl, deps);
}

async function ofDataDirectory({ data }: Config, look: boolean): Promise<Migrated> {
  const path = databasePath(data);
  if (!(await exists(path))) {
    throw new SchemaRefused(`${data} holds no store: countersign serve makes one, with its schema`);
  }
  const connection = openedOrExplained(path);
  try {
    return look ? sqlite.planOf(connection, path) : sqlite.migrate(connection, path);
  } finally {
    connection.close();
  }
}

async function ofDatabase(
  databaseUrl: string,
  { randomness, look }: { randomness: Randomness; look: boolean },
): Promise<Migrated> {
  const connections = openConnections({
    databaseUrl,
    connectionsMax: 1,
    randomness,
    exchangeMsMax: MIGRATION_MS_MAX,
  });
  try {
    await postgres.checkServer(connections);
    return await (look ? postgres.planOf(connections) : postgres.migrate(connections));
  } finally {
    await connections.close();
  }
}
