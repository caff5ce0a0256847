/** Finds the client that a change is about, for changes of clients and of their secrets. */

import type { Selectable } from 'kysely';
import type { TokenQuota } from '../../../ports/model.ts';
import { ChangeRefused } from '../../../ports/store.ts';
import { db, firstLocked, type Steps, type Tables } from '../schema.ts';

export type ClientRow = Selectable<Tables['clients']>;

/** A client that is not deleted, kept from other writers. */
export function* clientRow(clientId: string): Steps<ClientRow> {
  const row = yield* firstLocked(
    db
      .selectFrom('clients')
      .selectAll()
      .where('client_id', '=', clientId)
      .where('state', '!=', 'deleted'),
  );
  if (row === undefined) {
    throw new ChangeRefused(
      'not-found',
      `there is no client ${clientId}; 'countersign client list' shows the ones there are`,
    );
  }
  return row;
}

/** The quota as records carry it: left out where there is none. */
export function tokenQuotaOf(row: Pick<ClientRow, 'token_quota' | 'quota_enforced'>): {
  tokenQuota?: TokenQuota;
} {
  if (row.token_quota === null) return {};
  return { tokenQuota: { perHour: row.token_quota, enforced: row.quota_enforced === 1 } };
}
