/** Clients that nobody has used for long: finding them, and recording that they were found. */

import type { DormantClient } from '../../ports/model.ts';
import type { Change, Committed } from '../../ports/store.ts';
import { type Effect, newestChange } from './append.ts';
import { clientRow } from './changes/client-row.ts';
import { all, db, run, type Steps } from './schema.ts';

/** Active clients that were made before `beforeMs` and whose secrets have not been used since, in the order of their ordinals. */
export function* dormantClients(page: {
  readonly beforeMs: number;
  readonly after: number;
  readonly limit: number;
}): Steps<readonly DormantClient[]> {
  const rows = yield* all(
    db
      .selectFrom('clients')
      .innerJoin('programs', 'programs.ordinal', 'clients.program')
      .leftJoin('secrets', 'secrets.client', 'clients.ordinal')
      .leftJoin('secret_uses', 'secret_uses.secret', 'secrets.ordinal')
      .select(['clients.ordinal', 'clients.client_id', 'programs.program_id', 'clients.name'])
      .select(['clients.created_at_ms', 'clients.dormant_at_ms'])
      .select((max) => max.fn.max('secret_uses.at_ms').as('used_at_ms'))
      .where('clients.state', '=', 'active')
      .where('clients.created_at_ms', '<', page.beforeMs)
      .where('clients.ordinal', '>', page.after)
      .groupBy(['clients.ordinal', 'clients.client_id', 'programs.program_id', 'clients.name'])
      .groupBy(['clients.created_at_ms', 'clients.dormant_at_ms'])
      .having((of) =>
        of.or([
          of(of.fn.max('secret_uses.at_ms'), 'is', null),
          of(of.fn.max('secret_uses.at_ms'), '<', page.beforeMs),
        ]),
      )
      .orderBy('clients.ordinal')
      .limit(page.limit),
  );
  return rows.map((row) => ({
    ordinal: row.ordinal,
    clientId: row.client_id,
    programId: row.program_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    ...(row.used_at_ms === null ? {} : { lastUsedAtMs: row.used_at_ms }),
    isReported: row.dormant_at_ms !== null && row.dormant_at_ms >= (row.used_at_ms ?? 0),
  }));
}

/** Once for each dormancy: of many nodes that notice it, one writes it down. */
export function* reportDormant(
  change: Extract<Change, { kind: 'client.dormant' }>,
  atMs: number,
): Steps<Effect | Committed> {
  const row = yield* clientRow(change.clientId);
  const isReported = row.dormant_at_ms !== null && row.dormant_at_ms >= (change.lastUsedAtMs ?? 0);
  if (row.state !== 'active' || isReported) return yield* newestChange();
  yield* run(
    db.updateTable('clients').set({ dormant_at_ms: atMs }).where('ordinal', '=', row.ordinal),
  );
  return {
    target: change.clientId,
    facts: [],
    detail: { days: change.days, last_used_ms: change.lastUsedAtMs },
  };
}
