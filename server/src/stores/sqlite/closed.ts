/**
 * Closes a store for good: whoever opens it is refused, and so is every change and every node of a process that has it open already.
 * Knows not why.
 */

import type { DatabaseSync } from 'node:sqlite';

/** In the transaction of the caller, who holds the database alone. */
export function closeForGood(connection: DatabaseSync, reason: string): void {
  const literal = `'${reason.replaceAll("'", "''")}'`;
  // Each change ends at the head row, and no node decides without a row of its own.
  connection.exec(`
    CREATE TABLE closed (reason TEXT NOT NULL) STRICT;
    INSERT INTO closed VALUES (${literal});
    CREATE TRIGGER closed_to_changes BEFORE UPDATE ON store BEGIN SELECT RAISE(ABORT, ${literal}); END;
    CREATE TRIGGER closed_to_nodes BEFORE INSERT ON nodes BEGIN SELECT RAISE(ABORT, ${literal}); END;
  `);
}

/** Why it was closed; undefined: it is open. */
export function closedBecause(connection: DatabaseSync): string | undefined {
  const made = connection
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'closed'")
    .get();
  if (made === undefined) return undefined;
  return String(connection.prepare('SELECT reason FROM closed').get()?.['reason']);
}
