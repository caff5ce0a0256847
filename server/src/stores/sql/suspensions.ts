/** Reads of suspensions and approvals, for people and for whoever ends those that are due. */

import type { ApprovalDirectory, ApprovalRecord } from '../../ports/approvals.ts';
import type { SuspensionDirectory, SuspensionRecord } from '../../ports/suspensions.ts';
import { suspensionId } from '../../ports/suspensions.ts';
import { approvalsDemanded } from './changes/approvals.ts';
import { all, db, type Steps } from './schema.ts';

export function* suspensions(
  filter: Parameters<SuspensionDirectory['suspensions']>[0],
): Steps<readonly SuspensionRecord[]> {
  let query = db
    .selectFrom('suspensions')
    .leftJoin('programs', 'programs.ordinal', 'suspensions.program')
    .leftJoin('clients', 'clients.ordinal', 'suspensions.client')
    .leftJoin('approvals', 'approvals.approval_id', 'suspensions.approval_id')
    .selectAll('suspensions')
    .select(['programs.program_id', 'clients.client_id', 'approvals.approval_id as asked'])
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
    ...(row.asked === null ? {} : { endApprovalId: row.asked }),
    ...(row.closed_at_ms === null ? {} : { closedAtMs: row.closed_at_ms }),
    ...(row.closed_by === null ? {} : { closedBy: row.closed_by }),
  }));
}

export function* dueSuspensions(atMs: number, limit: number): Steps<readonly number[]> {
  let query = db
    .selectFrom('suspensions')
    .select('suspensions.ordinal')
    .where('closed_at_ms', 'is', null)
    .where('until_ms', '<=', atMs)
    .orderBy('until_ms')
    .orderBy('suspensions.ordinal')
    .limit(limit);
  if (yield* approvalsDemanded()) {
    query = query
      .innerJoin('approvals', 'approvals.approval_id', 'suspensions.approval_id')
      .where('approvals.state', '=', 'granted');
  }
  return (yield* all(query)).map(({ ordinal }) => ordinal);
}

export function* approvals(
  filter: Parameters<ApprovalDirectory['approvals']>[0],
): Steps<readonly ApprovalRecord[]> {
  const { approvalId, pendingAtMs, limit } = filter;
  let query = db
    .selectFrom('approvals')
    .selectAll()
    .orderBy('asked_at_ms', 'desc')
    .orderBy('approval_id')
    .limit(limit);
  if (approvalId !== undefined) query = query.where('approval_id', '=', approvalId);
  if (pendingAtMs !== undefined) {
    query = query.where('state', '=', 'pending').where('expires_at_ms', '>', pendingAtMs);
  }
  return (yield* all(query)).map((row) => ({
    approvalId: row.approval_id,
    asks: row.kind,
    target: row.target,
    ...(row.reason === null ? {} : { reason: row.reason }),
    askedAtMs: row.asked_at_ms,
    askedBy: row.asked_by,
    expiresAtMs: row.expires_at_ms,
    state: row.state,
    ...(row.decided_at_ms === null ? {} : { decidedAtMs: row.decided_at_ms }),
    ...(row.decided_by === null ? {} : { decidedBy: row.decided_by }),
  }));
}
