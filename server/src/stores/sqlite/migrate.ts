/** Brings the main database's schema up to date in one transaction. The version stands in the file's head, beside it the oldest that may go on. */

import type { DatabaseSync } from 'node:sqlite';
import {
  type Found,
  type Migrated,
  type Plan,
  planFor,
  requireNodes,
  type Step,
} from '../sql/migrations/plan.ts';
import { MIGRATIONS } from './migrations.ts';

/** What is to be done to the database; it is left as it is. Throws `SchemaRefused` for one that this program must not touch. */
export function planOf(
  connection: DatabaseSync,
  path: string,
  steps: readonly Step[] = MIGRATIONS,
): Plan {
  return planFor(path, foundIn(connection), steps);
}

/** Does it; two processes may try at once. */
export function migrate(
  connection: DatabaseSync,
  path: string,
  steps: readonly Step[] = MIGRATIONS,
): Migrated {
  const idle = planOf(connection, path, steps);
  if (idle.pending.length === 0) return idle;
  connection.exec('BEGIN IMMEDIATE');
  try {
    const plan = planOf(connection, path, steps);
    if (plan.before > 0 && plan.needs > 0) requireNodes(plan, runningNodes(connection));
    for (const { sql } of plan.pending) connection.exec(sql);
    connection.exec(`
      CREATE TABLE IF NOT EXISTS schema_floor (oldest INTEGER NOT NULL) STRICT;
      DELETE FROM schema_floor;
      INSERT INTO schema_floor VALUES (${plan.oldest});
      PRAGMA user_version = ${plan.after};
    `);
    connection.exec('COMMIT');
    return plan;
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function foundIn(connection: DatabaseSync): Found {
  const version = Number(connection.prepare('PRAGMA user_version').get()?.['user_version']);
  const hasFloor = connection
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_floor'")
    .get();
  // Written before steps told what may go on: nothing older may.
  if (hasFloor === undefined) return { version, oldest: version };
  const oldest = connection.prepare('SELECT oldest FROM schema_floor').get()?.['oldest'];
  return { version, oldest: Number(oldest ?? version) };
}

function runningNodes(connection: DatabaseSync): { node: string; schema: number }[] {
  // All columns: the one of the schema is younger than the table.
  const rows = connection.prepare('SELECT * FROM nodes').all();
  return rows.map(({ node, schema }) => ({ node: String(node), schema: Number(schema ?? 0) }));
}
