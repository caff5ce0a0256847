/** Clients that nobody has used for long: finding them, and recording that they were found. */

import type { DormantPage } from '../../ports/model.ts';
import type { Change, Committed } from '../../ports/store.ts';
import { type Effect, newestChange } from './append.ts';
import { clientRow } from './changes/client-row.ts';
import { all, db, run, type Steps } from './schema.ts';

/**
 * Looks at the next `limit` clients, whatever they are: a page that went on until it had found so many would read and sort all that there
 * are, while nobody else is heard.
 */
export function* dormantClients(page: {
  readonly beforeMs: number;
  readonly after: number;
  readonly limit: number;
}): Steps<DormantPage> {
  const rows = yield* all(
    db
      .selectFrom('clients')
      .innerJoin('programs', 'programs.ordinal', 'clients.program')
      .select(['clients.ordinal', 'clients.client_id', 'programs.program_id', 'clients.name'])
      .select(['clients.state', 'clients.created_at_ms', 'clients.dormant_at_ms'])
      .select((of) =>
        of
          .selectFrom('secrets')
          .innerJoin('secret_uses', 'secret_uses.secret', 'secrets.ordinal')
          .select((max) => max.fn.max('secret_uses.at_ms').as('at_ms'))
          .whereRef('secrets.client', '=', 'clients.ordinal')
          .as('used_at_ms'),
      )
      .where('clients.ordinal', '>', page.after)
      .orderBy('clients.ordinal')
      .limit(page.limit),
  );
  const isDormant = (row: (typeof rows)[number]): boolean =>
    row.state === 'active' &&
    row.created_at_ms < page.beforeMs &&
    (row.used_at_ms === null || row.used_at_ms < page.beforeMs);
  const found = rows.filter(isDormant).map((row) => ({
    ordinal: row.ordinal,
    clientId: row.client_id,
    programId: row.program_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    ...(row.used_at_ms === null ? {} : { lastUsedAtMs: row.used_at_ms }),
    isReported: row.dormant_at_ms !== null && row.dormant_at_ms >= (row.used_at_ms ?? 0),
  }));
  return { found, next: rows.length < page.limit ? undefined : rows.at(-1)?.ordinal };
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
