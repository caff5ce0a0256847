/** Turns the database of a backup into one that may serve: its schema brought up to date, then the restore, as one transaction. */

import { sql } from 'kysely';
import type { Committed } from '../../ports/store.ts';
import { ORDINALS_GAP, type Restoring, restore as restoreSteps } from '../sql/restore.ts';
import type { Steps } from '../sql/schema.ts';
import { appendChange } from './append.ts';
import { connectWriter } from './connect.ts';
import { executorOf } from './executor.ts';
import { migrate } from './migrate.ts';

/** Works on a file that nobody else has open, and leaves it whole in that one file. */
export function restoreDatabase(path: string, restoring: Restoring): Committed {
  const connection = connectWriter(path);
  try {
    migrate(connection, path);
    const committed = executorOf(connection).write(() => restore(restoring));
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    connection.exec('PRAGMA journal_mode = DELETE');
    return committed;
  } finally {
    connection.close();
  }
}

/** The same for a store that others may have open. */
export function recoverDatabase(path: string, restoring: Restoring): Committed {
  const connection = connectWriter(path);
  try {
    return executorOf(connection).write(() => restore(restoring));
  } finally {
    connection.close();
  }
}

function* restore(restoring: Restoring): Steps<Committed> {
  for (const [table, gap] of Object.entries(ORDINALS_GAP)) yield* skipOrdinals(table, gap);
  return yield* appendChange(yield* restoreSteps(restoring));
}

/** AUTOINCREMENT goes on from what stands in `sqlite_sequence`, where a table without a row ever has no line yet. */
function* skipOrdinals(table: string, gap: number): Steps<void> {
  const statements = [
    sql`INSERT INTO sqlite_sequence (name, seq) SELECT ${table}, 0
        WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ${table})`,
    sql`UPDATE sqlite_sequence SET seq = seq + ${gap} WHERE name = ${table}`,
  ];
  for (const statement of statements) yield { node: statement.toOperationNode(), locks: false };
}
