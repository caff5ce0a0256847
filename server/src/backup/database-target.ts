/** An empty PostgreSQL database that a whole store is copied into, as one transaction: it is there whole or not at all. */

import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Deps } from '../data-directory.ts';
import { listBuckets, RETENTION_MS } from '../journal/bucket-files.ts';
import { tokenPages } from '../journal/copied-tokens.ts';
import {
  attachPartition,
  createPartition,
  dayOf,
  insertTokens,
} from '../journal/postgres-partitions.ts';
import type { Session } from '../stores/postgres/connections.ts';
import { COPY_TIMEOUTS, contentOf } from '../stores/postgres/copied-tables.ts';
import { checkServer, holdAlone, migrate } from '../stores/postgres/migrate.ts';
import type { TableName } from '../stores/sql/copied-tables.ts';
import { connectReader } from '../stores/sqlite/connect.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { BackupRefused } from './archive.ts';
import { copyToDatabase } from './copy-store.ts';
import { withConnection } from './database-connection.ts';
import { requireSameSchema } from './schema-versions.ts';
import type { Tell } from './tell.ts';

type TargetDeps = Deps & { readonly tell: Tell };

/** Throws `BackupRefused` unless the database holds nothing of a store. */
export async function requireEmpty(databaseUrl: string, deps: Deps): Promise<void> {
  await withConnection(databaseUrl, deps, async (connections) => {
    await checkServer(connections);
    await connections.use(refuseFilled);
  });
}

async function refuseFilled(session: Session): Promise<void> {
  const content = await contentOf(session);
  if (content === 'nothing') return;
  throw new BackupRefused(
    content === 'store'
      ? 'the database holds a store already, and nothing is replaced: give an empty one'
      : 'the database holds a copy that never came to its end: drop that database and give an empty one',
  );
}

/** Copies the store that a folder holds: its database, and its journal as far as it is still kept. */
export async function putIntoDatabase(
  databaseUrl: string,
  folder: string,
  deps: TargetDeps,
): Promise<void> {
  const source = connectReader(databasePath(folder));
  try {
    source.exec('BEGIN');
    await fillDatabase(databaseUrl, { source, journal: join(folder, 'journal') }, deps);
  } finally {
    source.close();
  }
}

/** All in one transaction. `except`: a table that is left out. Returns how many tokens were copied. */
export async function fillDatabase(
  databaseUrl: string,
  from: {
    readonly source: DatabaseSync;
    readonly journal: string;
    readonly except?: TableName;
  },
  deps: TargetDeps,
): Promise<number> {
  return await withConnection(databaseUrl, deps, async (connections) => {
    const { after } = await migrate(connections);
    requireSameSchema(versionOf(from.source), after);
    return await connections.use(async (session) => {
      await session.script(`begin; ${COPY_TIMEOUTS}`);
      await holdAlone(session);
      await refuseFilled(session);
      await copyToDatabase(from.source, session, { tell: deps.tell, ...from });
      const tokens = await copyJournal(session, from.journal, deps);
      deps.tell('committing');
      await session.script('commit');
      return tokens;
    });
  });
}

function versionOf(source: DatabaseSync): number {
  return Number(source.prepare('PRAGMA user_version').get()?.['user_version']);
}

/** Day after day: each partition is filled before it belongs to the table, and so before it has an index. */
async function copyJournal(
  { query }: Session,
  directory: string,
  { clock, tell }: TargetDeps,
): Promise<number> {
  const keptFrom = dayOf(clock.wallMs() - RETENTION_MS);
  const buckets = listBuckets(directory).filter(({ startMs }) => dayOf(startMs) >= keptFrom);
  let tokens = 0;
  let done = 0;
  for (const [day, own] of Map.groupBy(buckets, ({ startMs }) => dayOf(startMs))) {
    await createPartition(query, day);
    for (const bucket of own) {
      done += 1;
      for (const page of tokenPages(bucket.path)) {
        await insertTokens(query, bucket, page);
        tokens += page.length;
        tell(`copying the journal, file ${done} of ${buckets.length}, token ${tokens}`);
      }
    }
    await attachPartition(query, day);
  }
  return tokens;
}
