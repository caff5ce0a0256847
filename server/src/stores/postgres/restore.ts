/** Makes a database that came back without its last commits one that may serve, as one change. */

import { sql } from 'kysely';
import type { Committed } from '../../ports/store.ts';
import { ORDINALS_GAP, type Restoring, restore } from '../sql/restore.ts';
import type { Steps } from '../sql/schema.ts';
import type { Connections } from './connections.ts';
import { sequenceOf } from './copied-tables.ts';
import { change } from './executor.ts';

/** `restoring` without a backup: nodes may follow the store meanwhile, and each will load it anew. */
export function recoverDatabase(
  connections: Connections,
  restoring: Restoring,
): Promise<Committed> {
  return change(connections, function* () {
    for (const [table, gap] of Object.entries(ORDINALS_GAP)) yield* skipOrdinals(table, gap);
    return yield* restore(restoring);
  });
}

/** Not taken back with the transaction: should it be repeated, the gap is wider. */
function* skipOrdinals(table: string, gap: number): Steps<void> {
  const sequence = sequenceOf(table);
  const statement = sql`select setval(${sequence}, (select last_value from ${sql.table(sequence)}) + ${gap})`;
  yield { node: statement.toOperationNode(), locks: false };
}
