/** What the nodes have given out of hourly quotas, shared through one table: each writes its own rows and reads the others' sums. */

import { sql } from 'kysely';
import type { QuotaShare, QuotaUse } from '../../ports/store.ts';
import { all, db, run, type Steps } from './schema.ts';

/** Writes a node's counts of an hour and answers with what the other nodes have given to the same clients. */
export function* shareQuota(share: QuotaShare): Steps<readonly QuotaUse[]> {
  const { node, hour, uses } = share;
  yield* run(db.deleteFrom('quota_uses').where('hour', '<', hour - 1));
  if (uses.length === 0) return [];
  yield* run(
    db
      .insertInto('quota_uses')
      .values(uses.map(({ client, tokens }) => ({ client, hour, node, tokens })))
      .onConflict((conflict) =>
        conflict
          .columns(['client', 'hour', 'node'])
          .doUpdateSet({ tokens: (of) => of.ref('excluded.tokens') }),
      ),
  );
  return yield* all(
    db
      .selectFrom('quota_uses')
      .select(['client', sql<number>`cast(sum(tokens) as bigint)`.as('tokens')])
      .where('hour', '=', hour)
      .where('node', '!=', node)
      .where(
        'client',
        'in',
        uses.map(({ client }) => client),
      )
      .groupBy('client'),
  );
}
