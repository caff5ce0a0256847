/** Makes a store safe that came back without its last commits: a standby that lacked them was promoted, or a disk put back. */

import type { Config } from '../config.ts';
import type { Deps } from '../data-directory.ts';
import { openData } from '../database.ts';
import type { Committed } from '../ports/store.ts';
import { recoverDatabase as recoverPostgres } from '../stores/postgres/restore.ts';
import { recoverDatabase as recoverSqlite } from '../stores/sqlite/restore.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { withConnection } from './database-connection.ts';
import { newLife } from './new-life.ts';
import { sourceOf } from './source-of.ts';

export type Recovered = Committed & { readonly incarnation: string };

/** Commits the one change that this is. Nodes that follow the store load it anew; whoever asks for the receipt hears of them. */
export async function recoverStore(
  config: Config,
  deps: Deps & { readonly keepActive: boolean },
): Promise<Recovered> {
  await sourceOf(config, deps).requireStore();
  // Proves that the master key is the store's own: under another one nothing would open the new token keys.
  const { store, masterKey } = await openData(config, deps);
  await store.close();
  const { databaseUrl } = config;
  const life = newLife(masterKey, deps);
  const committed =
    databaseUrl === undefined
      ? recoverSqlite(databasePath(config.data), life)
      : await withConnection(databaseUrl, deps, (connections) =>
          recoverPostgres(connections, life),
        );
  return { ...committed, incarnation: life.incarnation };
}
