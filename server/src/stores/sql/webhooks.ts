/** Whom the audit trail is told to, as rows: read, moved on, and put off. Delivers nothing. */

import type { Selectable } from 'kysely';
import type { Cursors, WebhookRow, Webhooks } from '../../ports/webhooks.ts';
import { all, db, run, type Steps, type Tables } from './schema.ts';

type Argument<Name extends keyof Webhooks> = Parameters<Webhooks[Name]>[0];

export function* webhooks(filter: { webhookId?: string } = {}): Steps<readonly WebhookRow[]> {
  let query = db.selectFrom('webhooks').selectAll().orderBy('created_at_ms').orderBy('webhook_id');
  if (filter.webhookId !== undefined) query = query.where('webhook_id', '=', filter.webhookId);
  return (yield* all(query)).map(webhookOf);
}

function webhookOf(row: Selectable<Tables['webhooks']>): WebhookRow {
  return {
    webhookId: row.webhook_id,
    target: row.target,
    sends: row.sends,
    ...(row.program_id === null ? {} : { programId: row.program_id }),
    ...(row.wrapped === null ? {} : { wrapped: row.wrapped }),
    cursor: row.line,
    checkpointCursor: row.checkpoint_line,
    disabled: row.disabled === 1,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    ...(row.delivered_at_ms === null ? {} : { deliveredAtMs: row.delivered_at_ms }),
    failures: row.failures,
    nextTryAtMs: row.next_try_at_ms,
    ...(row.problem === null ? {} : { problem: row.problem }),
  };
}

export function* advanceWebhook(move: Argument<'advance'>): Steps<boolean> {
  const { from, to, deliveredAtMs } = move;
  const moved = { line: to.cursor, checkpoint_line: to.checkpointCursor };
  const delivered = {
    delivered_at_ms: deliveredAtMs ?? null,
    failures: 0,
    next_try_at_ms: 0,
    problem: null,
  };
  const rows = yield* all(
    standingAt(from)
      .set(deliveredAtMs === undefined ? moved : { ...moved, ...delivered })
      .returning('webhook_id'),
  );
  return rows.length === 1;
}

export function* webhookFailed(failure: NonNullable<Argument<'failed'>>): Steps<void> {
  const { from, problem, nextTryAtMs } = failure;
  yield* run(
    standingAt(from).set((of) => ({
      failures: of('failures', '+', 1),
      next_try_at_ms: nextTryAtMs,
      problem,
    })),
  );
}

const standingAt = ({ webhookId, cursor, checkpointCursor }: Cursors) =>
  db
    .updateTable('webhooks')
    .where('webhook_id', '=', webhookId)
    .where('line', '=', cursor)
    .where('checkpoint_line', '=', checkpointCursor);

/** Puts their secrets under another master key. */
export function* rewrapWebhooks(afterOf: (wrapped: string) => string): Steps<void> {
  for (const { webhookId, wrapped } of yield* webhooks()) {
    if (wrapped === undefined) continue;
    yield* run(
      db
        .updateTable('webhooks')
        .set({ wrapped: afterOf(wrapped) })
        .where('webhook_id', '=', webhookId),
    );
  }
}
