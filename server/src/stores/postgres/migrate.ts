/** Brings a database's schema up to date, and writes a new store's first rows: once, however many processes try at the same time. */

import { setTimeout } from 'node:timers/promises';
import { StoreUnavailable } from '../../ports/store.ts';
import { type InitialStore, initialise } from '../sql/initialise.ts';
import {
  type Found,
  type Migrated,
  type Plan,
  planFor,
  requireNodes,
  type Step,
} from '../sql/migrations/plan.ts';
import type { Connections, Session } from './connections.ts';
import { closeChange, runSteps } from './executor.ts';
import { MIGRATIONS } from './migrations.ts';

/** One migration, or one first start, at a time. The number is this project's own. */
const LOCK = 7_260_195_114;
const LOCK_WAIT = "set local lock_timeout = '60s'; set local statement_timeout = '600s'";

/** Inside a transaction, until its end: nobody else migrates, makes a store, or copies one into the database. */
export async function holdAlone(session: Session): Promise<void> {
  await session.query(`select pg_advisory_xact_lock(${LOCK})`);
}

/**
 * A step waits for a table only so long: whoever comes after it waits behind it, and would be refused after the 4 s that stand on
 * the role. Then it lets everybody pass and tries again.
 */
const STEP_LOCK_MS_MAX = 1_000;
const STEP_RETRY_MS = 500;
const STEPS_MS_MAX = 120_000;
const LOCK_TIMEOUT = '55P03';

/** What is to be done to the database; it is left as it is. Throws `SchemaRefused` for one that this program must not touch. */
export function planOf(
  connections: Connections,
  steps: readonly Step[] = MIGRATIONS,
): Promise<Plan> {
  return connections.use((session) => planIn(session, steps));
}

/** Migrates in one transaction, beside whatever nodes run. */
export async function migrate(
  connections: Connections,
  steps: readonly Step[] = MIGRATIONS,
): Promise<Migrated> {
  const idle = await planOf(connections, steps);
  if (idle.pending.length === 0) return idle;
  const deadlineMs = performance.now() + STEPS_MS_MAX;
  for (;;) {
    try {
      return await connections.use((session) => migrateOnce(session, steps));
    } catch (error) {
      if (!isLockTimeout((error as Error).cause)) throw error;
      if (performance.now() >= deadlineMs) throw heldUp(error);
      await setTimeout(STEP_RETRY_MS);
    }
  }
}

async function migrateOnce(session: Session, steps: readonly Step[]): Promise<Migrated> {
  await session.script(`begin; ${LOCK_WAIT}; select pg_advisory_xact_lock(${LOCK})`);
  const plan = await planIn(session, steps);
  if (plan.before > 0 && plan.needs > 0) requireNodes(plan, await runningNodes(session));
  await session.script(`set local lock_timeout = '${STEP_LOCK_MS_MAX}ms'`);
  for (const { sql } of plan.pending) await session.script(sql);
  await session.script(
    'create table if not exists schema_version (version bigint not null); ' +
      'alter table schema_version add column if not exists oldest bigint; ' +
      `delete from schema_version; insert into schema_version values (${plan.after}, ${plan.oldest}); commit`,
  );
  return plan;
}

/** Writes the first rows unless they are there. */
export async function initialiseOnce(
  connections: Connections,
  initial: InitialStore,
): Promise<void> {
  await connections.use(async (session) => {
    await session.script(`begin; ${LOCK_WAIT}; select pg_advisory_xact_lock(${LOCK})`);
    const closing = await runSteps(session, initialise(initial));
    await closeChange(session, closing ?? { sequence: 0, changeId: '', changed: false });
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

async function planIn(session: Session, steps: readonly Step[]): Promise<Plan> {
  return planFor('the database', await foundIn(session), steps);
}

async function foundIn(session: Session): Promise<Found> {
  // From the catalogue itself: what a session believes of a name may be older than the lock that it has just waited for.
  const [made] = await session.query(
    "select from pg_tables where schemaname = current_schema() and tablename = 'schema_version'",
  );
  if (made === undefined) return { version: 0, oldest: 0 };
  // As a whole: a schema from before steps told what may go on has one column, and lets nothing older do so.
  const [row] = await session.query('select to_jsonb(schema_version) as found from schema_version');
  const { version = 0, oldest } = (row?.['found'] ?? {}) as { version?: number; oldest?: number };
  return { version, oldest: oldest ?? version };
}

async function runningNodes(session: Session): Promise<{ node: string; schema: number }[]> {
  const rows = await session.query('select to_jsonb(nodes) as row from nodes');
  return rows.map(({ row }) => {
    const { node, schema } = row as { node: string; schema?: number };
    return { node, schema: schema ?? 0 };
  });
}

function heldUp(cause: unknown): StoreUnavailable {
  const why = 'somebody holds a table that a step of the schema needs, or migrates as well';
  return new StoreUnavailable(
    `${why}: nothing was changed; look at pg_stat_activity, and repeat it`,
    { cause },
  );
}

function isLockTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === LOCK_TIMEOUT;
}
