/** Changes of webhooks: created, deleted, ended by their receiver, and resumed. */

import { ChangeRefused, type Committed } from '../../../ports/store.ts';
import type { WebhookChange } from '../../../ports/webhooks.ts';
import { type Effect, earlierChange, newestChange } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps } from '../schema.ts';
import { lockedEnvironments, requireMasterKey } from './keys.ts';

type Of<Kind extends WebhookChange['kind']> = Extract<WebhookChange, { kind: Kind }>;
type By = { readonly actor: string; readonly atMs: number };

/** Each is looked at every second. */
const WEBHOOKS_MAX = 50;

/** Whatever may be done to a webhook. */
export function* changeWebhook(change: WebhookChange, by: By): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'webhook.create':
      return yield* createWebhook(change, by);
    case 'webhook.delete':
      return yield* deleteWebhook(change);
    case 'webhook.resume':
      return yield* resumeWebhook(change);
    case 'webhook.disable':
      return yield* disableWebhook(change);
  }
}

function* createWebhook(change: Of<'webhook.create'>, by: By): Steps<Effect> {
  // One after another, so that they are counted; and whoever would change the master key waits.
  yield* lockedEnvironments();
  const known = yield* all(db.selectFrom('webhooks').select('webhook_id'));
  if (known.length >= WEBHOOKS_MAX) {
    throw new ChangeRefused('limit', `there are ${WEBHOOKS_MAX} webhooks, which is the most`);
  }
  const { webhookId, target, sends, programId, wrapped, after } = change;
  if (programId !== undefined) yield* requireProgram(programId);
  yield* run(
    db.insertInto('webhooks').values({
      webhook_id: webhookId,
      target,
      sends,
      program_id: programId ?? null,
      wrapped: wrapped ?? null,
      line: after,
      checkpoint_line: after,
      disabled: 0,
      created_at_ms: by.atMs,
      created_by: by.actor,
      delivered_at_ms: null,
      failures: 0,
      next_try_at_ms: 0,
      problem: null,
    }),
  );
  yield* requireMasterKey(change.masterKeyCheck);
  const detail = { target: placeOf(target), for: sends, after };
  return {
    target: webhookId,
    facts: [],
    detail: programId === undefined ? detail : { ...detail, program: programId },
  };
}

function* deleteWebhook(change: Of<'webhook.delete'>): Steps<Effect | Committed> {
  const [gone] = yield* all(
    db
      .deleteFrom('webhooks')
      .where('webhook_id', '=', change.webhookId)
      .returning(['target', 'line']),
  );
  if (gone !== undefined) {
    const detail = { target: placeOf(gone.target), delivered_to: gone.line };
    return { target: change.webhookId, facts: [], detail };
  }
  const earlier = yield* earlierChange(change.kind, change.webhookId);
  if (earlier.sequence > 0) return earlier;
  throw noWebhook(change.webhookId);
}

function* disableWebhook(change: Of<'webhook.disable'>): Steps<Effect | Committed> {
  const { webhookId, reason } = change;
  const row = yield* firstLocked(
    db.selectFrom('webhooks').select(['disabled', 'line']).where('webhook_id', '=', webhookId),
  );
  if (row === undefined) throw noWebhook(webhookId);
  if (row.disabled === 1) return yield* earlierChange(change.kind, webhookId);
  yield* run(
    db
      .updateTable('webhooks')
      .set({ disabled: 1, problem: reason })
      .where('webhook_id', '=', webhookId),
  );
  return { target: webhookId, facts: [], detail: { reason, delivered_to: row.line } };
}

function* resumeWebhook({ kind, webhookId }: Of<'webhook.resume'>): Steps<Effect | Committed> {
  const row = yield* firstLocked(
    db.selectFrom('webhooks').select(['disabled', 'line']).where('webhook_id', '=', webhookId),
  );
  if (row === undefined) throw noWebhook(webhookId);
  if (row.disabled === 0) {
    const earlier = yield* earlierChange(kind, webhookId);
    return earlier.sequence > 0 ? earlier : yield* newestChange();
  }
  const well = { disabled: 0, failures: 0, next_try_at_ms: 0, problem: null };
  yield* run(db.updateTable('webhooks').set(well).where('webhook_id', '=', webhookId));
  return { target: webhookId, facts: [], detail: { delivered_to: row.line } };
}

function* requireProgram(programId: string): Steps<void> {
  const query = db.selectFrom('programs').select('ordinal').where('program_id', '=', programId);
  if ((yield* first(query)) !== undefined) return;
  throw new ChangeRefused('not-found', `there is no program ${programId}`);
}

function noWebhook(webhookId: string): ChangeRefused {
  return new ChangeRefused(
    'not-found',
    `there is no webhook ${webhookId}; 'countersign webhook list' shows the ones there are`,
  );
}

/** Without path and query, in which receivers like to put what nobody else should know. */
function placeOf(target: string): string {
  const url = new URL(target);
  return url.protocol === 'file:' ? target : url.origin;
}
