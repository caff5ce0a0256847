/**
 * Approvals, decided in the transaction that they allow: asked for by one, granted by another, carried out with the grant. Whether one
 * is demanded is the store's to say, so that no door leads round it.
 */

import type { Selectable } from 'kysely';
import { type Approvable, targetOf } from '../../../ports/approvals.ts';
import { POLICIES } from '../../../ports/policies.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange, newestChange } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type By = { readonly actor: string; readonly atMs: number };
type ApprovalRow = Selectable<Tables['approvals']>;
type Perform = () => Steps<Effect | Committed>;

const POLICY = 'reactivation-approvals';

/** Whether reactivations need one now. */
export function* approvalsDemanded(): Steps<boolean> {
  const set = yield* first(db.selectFrom('policies').select('value').where('name', '=', POLICY));
  return (set?.value ?? POLICIES[POLICY].fallback) !== '0';
}

/** Does what may need an approval: at once where none is demanded, and by breaking the glass, which stands in a line of its own. */
export function* withoutApproval(change: Approvable, perform: Perform): Steps<Effect | Committed> {
  const demanded = loosens(change) && (yield* approvalsDemanded());
  const effect = yield* perform();
  // What is so already needs nobody's approval. What is refused here is undone with its transaction.
  if (!demanded || 'changed' in effect) return effect;
  const { kind, breakGlass } = change;
  if (breakGlass === undefined) {
    throw new ChangeRefused(
      'conflict',
      `the policy ${POLICY} demands that somebody else approves: ask for that, or break the glass and say why`,
    );
  }
  const { target, lines = [] } = effect;
  const broken = { action: 'break-glass', target, detail: { of: kind, reason: breakGlass } };
  return { ...effect, lines: [...lines, broken] };
}

/** Of policies only the one that demands approvals, and only its end. */
function loosens(change: Approvable): boolean {
  return change.kind !== 'policy.set' || (change.name === POLICY && change.value === '0');
}

/** Asks for an approval, unless the very same is asked for already. */
export function* askApproval(change: Of<'approval.ask'>, by: By): Steps<Effect | Committed> {
  const { approvalId, asks, reason, expiresAtMs } = change;
  const target = targetOf(asks);
  const text = JSON.stringify(asks);
  const same = yield* first(
    db
      .selectFrom('approvals')
      .select('approval_id')
      .where('target', '=', target)
      .where('state', '=', 'pending')
      .where('change', '=', text)
      .where('expires_at_ms', '>', by.atMs),
  );
  if (same !== undefined) return yield* earlierChange(change.kind, same.approval_id);
  const asked = { approvalId, kind: asks.kind, target, change: text, reason, expiresAtMs };
  const [line] = yield* insertApproval(asked, by);
  return { target: approvalId, facts: [], detail: line?.detail ?? {} };
}

/** Asks that a suspension may end when its time has come, if that needs an approval; tells the audit line of the question. */
export function* askForEnd(
  of: { readonly target: string; readonly reason: string },
  end: { readonly untilMs?: number | undefined; readonly approvalId?: string | undefined },
  by: By,
): Steps<NonNullable<Effect['lines']>> {
  const { untilMs, approvalId } = end;
  if (untilMs === undefined || approvalId === undefined) return [];
  if (!(yield* approvalsDemanded())) return [];
  const expiresAtMs = untilMs + GRANTED_AFTER_END_MS_MAX;
  const asked = { ...of, approvalId, kind: 'suspension.end', change: '{}', expiresAtMs };
  return yield* insertApproval(asked, by);
}

/** Late is not too late: the suspension simply lasts until somebody agrees. */
const GRANTED_AFTER_END_MS_MAX = 24 * 60 * 60 * 1000;

/** Writes the row, unless it is there, and tells its audit line. */
function* insertApproval(
  asked: {
    readonly approvalId: string;
    readonly kind: string;
    readonly target: string;
    readonly change: string;
    readonly reason?: string | undefined;
    readonly expiresAtMs: number;
  },
  by: By,
): Steps<NonNullable<Effect['lines']>> {
  const { approvalId, kind, target, change, reason, expiresAtMs } = asked;
  const written = yield* all(
    db
      .insertInto('approvals')
      .values({
        ...{ approval_id: approvalId, kind, target, change, reason: reason ?? null },
        ...{ asked_at_ms: by.atMs, asked_by: by.actor, expires_at_ms: expiresAtMs },
        ...{ state: 'pending', decided_at_ms: null, decided_by: null },
      })
      .onConflict((on) => on.column('approval_id').doNothing())
      .returning('approval_id'),
  );
  const expires = new Date(expiresAtMs).toISOString();
  const detail = { asks: kind, target, ...(reason === undefined ? {} : { reason }), expires };
  return written.map(() => ({ action: 'approval.ask', target: approvalId, detail }));
}

/** Grants what somebody else has asked for, and does it. */
export function* grantApproval(
  change: Of<'approval.grant'>,
  by: By,
  perform: (asked: Approvable) => Steps<Effect | Committed>,
): Steps<Effect | Committed> {
  const row = yield* lockedApproval(change.approvalId);
  if (row.state === 'granted') return yield* newestChange();
  requireOpen(row, by);
  if (row.asked_by === by.actor) {
    throw new ChangeRefused(
      'conflict',
      `${by.actor} has asked for it: somebody else must grant it`,
    );
  }
  yield* decide(row, 'granted', by);
  const { approval_id: approval, asked_by, kind, target } = row;
  const granted = { asks: kind, target, asked_by };
  const line = { action: change.kind, target: approval, detail: granted };
  const effect =
    kind === 'suspension.end' ? undefined : yield* perform(JSON.parse(row.change) as Approvable);
  if (effect === undefined || 'changed' in effect) {
    return { target: approval, facts: [], detail: granted };
  }
  const { detail = {}, lines = [] } = effect;
  return { ...effect, kind, detail: { ...detail, approval, asked_by }, lines: [line, ...lines] };
}

/** Says no, or takes back what oneself has asked for. */
export function* refuseApproval(change: Of<'approval.refuse'>, by: By): Steps<Effect | Committed> {
  const row = yield* lockedApproval(change.approvalId);
  if (row.state === 'refused') return yield* earlierChange(change.kind, change.approvalId);
  requireOpen(row, by);
  yield* decide(row, 'refused', by);
  const { kind, target, asked_by } = row;
  const reason = change.reason === undefined ? {} : { reason: change.reason };
  return {
    target: row.approval_id,
    facts: [],
    detail: { asks: kind, target, asked_by, ...reason },
  };
}

/** Which of these have been granted. */
export function* grantedOf(ids: readonly string[]): Steps<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = yield* all(
    db
      .selectFrom('approvals')
      .select('approval_id')
      .where('approval_id', 'in', ids)
      .where('state', '=', 'granted'),
  );
  return new Set(rows.map(({ approval_id }) => approval_id));
}

function* lockedApproval(approvalId: string): Steps<ApprovalRow> {
  const row = yield* firstLocked(
    db.selectFrom('approvals').selectAll().where('approval_id', '=', approvalId),
  );
  if (row !== undefined) return row;
  throw new ChangeRefused(
    'not-found',
    `there is no approval ${approvalId}; 'countersign approval list' shows what is asked for`,
  );
}

function requireOpen(row: ApprovalRow, { atMs }: By): void {
  if (row.state !== 'pending') {
    throw new ChangeRefused('conflict', `it has been ${row.state} by ${row.decided_by}`);
  }
  if (row.expires_at_ms > atMs) return;
  throw new ChangeRefused(
    'conflict',
    `it expired at ${new Date(row.expires_at_ms).toISOString()}: it has to be asked for again`,
  );
}

function* decide(row: ApprovalRow, state: 'granted' | 'refused', by: By): Steps<void> {
  const decided = { state, decided_at_ms: by.atMs, decided_by: by.actor };
  yield* run(db.updateTable('approvals').set(decided).where('approval_id', '=', row.approval_id));
}
