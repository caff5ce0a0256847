/** Reads of suspensions, for people and for whoever ends those that are due. */

import type { SuspensionDirectory, SuspensionRecord } from '../../ports/suspensions.ts';
import { suspensionId } from '../../ports/suspensions.ts';
import { all, db, type Steps } from './schema.ts';

export function* suspensions(
  filter: Parameters<SuspensionDirectory['suspensions']>[0],
): Steps<readonly SuspensionRecord[]> {
  let query = db
    .selectFrom('suspensions')
    .leftJoin('programs', 'programs.ordinal', 'suspensions.program')
    .leftJoin('clients', 'clients.ordinal', 'suspensions.client')
    .selectAll('suspensions')
    .select(['programs.program_id', 'clients.client_id'])
    .orderBy('suspensions.ordinal');
  if (filter.programId !== undefined) query = query.where('program_id', '=', filter.programId);
  if (filter.clientId !== undefined) query = query.where('client_id', '=', filter.clientId);
  if (filter.openOnly) query = query.where('closed_at_ms', 'is', null);
  return (yield* all(query)).map((row) => ({
    ordinal: row.ordinal,
    suspensionId: suspensionId(row.ordinal),
    ...(row.program_id === null ? {} : { programId: row.program_id }),
    ...(row.client_id === null ? {} : { clientId: row.client_id }),
    reason: row.reason,
    openedAtMs: row.opened_at_ms,
    openedBy: row.opened_by,
    ...(row.until_ms === null ? {} : { untilMs: row.until_ms }),
    ...(row.approval_id === null ? {} : { endApprovalId: row.approval_id }),
    ...(row.closed_at_ms === null ? {} : { closedAtMs: row.closed_at_ms }),
    ...(row.closed_by === null ? {} : { closedBy: row.closed_by }),
  }));
}

export function* dueSuspensions(atMs: number, limit: number): Steps<readonly number[]> {
  const rows = yield* all(
    db
      .selectFrom('suspensions')
      .select('ordinal')
      .where('closed_at_ms', 'is', null)
      .where('until_ms', '<=', atMs)
      .orderBy('until_ms')
      .orderBy('ordinal')
      .limit(limit),
  );
  return rows.map(({ ordinal }) => ordinal);
}
