/** Brings a database's schema up to date, and writes a new store's first rows: once, however many processes try at the same time. */

import { StoreUnavailable } from '../../ports/store.ts';
import { type InitialStore, initialise } from '../sql/initialise.ts';
import type { Connections, Session } from './connections.ts';
import { closeChange, runSteps } from './executor.ts';
import { MIGRATIONS } from './migrations.ts';

const SCHEMA_VERSION = MIGRATIONS.length;

/** One migration, or one first start, at a time. The number is this project's own. */
const LOCK = 7_260_195_114;
const LOCK_WAIT = "set local lock_timeout = '60s'; set local statement_timeout = '600s'";

/** Inside a transaction, until its end: nobody else migrates, makes a store, or copies one into the database. */
export async function holdAlone(session: Session): Promise<void> {
  await session.query(`select pg_advisory_xact_lock(${LOCK})`);
}

/** Migrates in one transaction. Refuses a database that a newer version has written. */
export async function migrate(connections: Connections): Promise<void> {
  if ((await connections.use(versionOf)) === SCHEMA_VERSION) return;
  await connections.use(async (session) => {
    await session.script(`begin; ${LOCK_WAIT}; select pg_advisory_xact_lock(${LOCK})`);
    const version = await versionOf(session);
    for (const step of MIGRATIONS.slice(version)) await session.script(step);
    await session.script(
      'create table if not exists schema_version (version bigint not null); delete from schema_version; ' +
        `insert into schema_version values (${SCHEMA_VERSION}); commit`,
    );
  });
}

/** Writes the first rows unless they are there. */
export async function initialiseOnce(
  connections: Connections,
  initial: InitialStore,
): Promise<void> {
  await connections.use(async (session) => {
    await session.script(`begin; ${LOCK_WAIT}; select pg_advisory_xact_lock(${LOCK})`);
    const closing = await runSteps(session, initialise(initial));
    await closeChange(session, closing ?? { sequence: 0, changed: false });
  });
}

/** What the promises stand on: a primary whose commits are durable. */
export async function checkServer(connections: Connections): Promise<void> {
  const [row] = await connections.use((session) =>
    session.query(
      "select current_setting('synchronous_commit') as commits, pg_is_in_recovery() as standby",
    ),
  );
  if (row?.['standby'] !== false) {
    throw new StoreUnavailable('the database is a standby; give the URL of the primary');
  }
  if (row['commits'] === 'off') {
    throw new Error(
      'the database confirms commits before they are durable: set synchronous_commit to on for this role',
    );
  }
}

async function versionOf(session: Session): Promise<number> {
  // From the catalogue itself: what a session believes of a name may be older than the lock that it has just waited for.
  const [made] = await session.query(
    "select from pg_tables where schemaname = current_schema() and tablename = 'schema_version'",
  );
  if (made === undefined) return 0;
  const [row] = await session.query('select version from schema_version');
  const version = Number(row?.['version'] ?? 0);
  if (version <= SCHEMA_VERSION) return version;
  throw new Error(
    `the database has schema ${version}, this Countersign knows ${SCHEMA_VERSION}: ` +
      'it was written by a newer version; run that version, or restore a backup of this one',
  );
}
