/** What needs a second person: asked for by one, granted by another. Whether it is needed is decided by the store once more. */

import { newApprovalId } from '../credentials/identifiers.ts';
import { type Approvable, type ApprovalRecord, targetOf } from '../ports/approvals.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { invalid, requireApprovalId, requireReason } from './input.ts';
import { policyOf } from './policy-of.ts';

/** How long somebody has to grant what was asked for. */
const PENDING_MS_MAX = 24 * 60 * 60 * 1000;
const LISTED_MAX = 200;

/** What may stand beside a change that may need an approval. */
export type Terms = {
  /** Why: for whoever approves, and for the audit trail. */
  readonly reason?: string | undefined;
  /** Without an approval, at once: recorded and notified, and it needs a reason. */
  readonly breakGlass?: boolean | undefined;
};

export type DoneOrAsked = Done & {
  /** It was not done: this was asked for instead. */
  readonly approval?: ApprovalRecord;
};

/** Does a change, or asks for its approval where the policy demands one. Throws `ChangeRefused`. */
export async function doOrAsk(
  context: OperationContext,
  change: Approvable,
  { reason: given, breakGlass = false }: Terms,
): Promise<DoneOrAsked> {
  const reason = given === undefined ? undefined : requireReason(given);
  if (breakGlass) {
    if (reason === undefined) throw invalid('--break-glass needs a --reason TEXT');
    return await commitAndAwait(context, { ...change, breakGlass: reason });
  }
  if (!(await needsApproval(context, change))) return await commitAndAwait(context, change);
  const approvalId = newApprovalId(context.randomness);
  const expiresAtMs = context.clock.wallMs() + PENDING_MS_MAX;
  const asked = { kind: 'approval.ask', approvalId, asks: change, reason, expiresAtMs } as const;
  const done = await commitAndAwait(context, asked);
  const pending = await listApprovals(context, { pendingOnly: true });
  const target = targetOf(change);
  const approval = pending.find((one) =>
    done.changed
      ? one.approvalId === approvalId
      : one.target === target && one.asks === change.kind,
  );
  return approval === undefined ? done : { ...done, approval };
}

/** What waits for somebody, or all that was ever asked for; the newest first. */
export function listApprovals(
  { directory, clock }: Pick<OperationContext, 'directory' | 'clock'>,
  { pendingOnly }: { readonly pendingOnly: boolean },
): Promise<readonly ApprovalRecord[]> {
  const pending = pendingOnly ? { pendingAtMs: clock.wallMs() } : {};
  return directory.approvals({ ...pending, limit: LISTED_MAX });
}

/** Grants what somebody else has asked for: it is done at once, or holds from now on. Throws `ChangeRefused`. */
export function grantApproval(
  context: OperationContext,
  input: { readonly approvalId: string },
): Promise<Done> {
  const approvalId = requireApprovalId(input.approvalId);
  return commitAndAwait(context, { kind: 'approval.grant', approvalId });
}

/** Refuses what was asked for, or takes it back. Throws `ChangeRefused`. */
export function refuseApproval(
  context: OperationContext,
  input: { readonly approvalId: string; readonly reason?: string | undefined },
): Promise<Done> {
  const approvalId = requireApprovalId(input.approvalId);
  const reason = input.reason === undefined ? undefined : requireReason(input.reason);
  return commitAndAwait(context, { kind: 'approval.refuse', approvalId, reason });
}

/** Of what is active already nothing is asked. */
async function needsApproval(context: OperationContext, change: Approvable): Promise<boolean> {
  if (change.kind === 'policy.set') {
    if (change.name !== 'reactivation-approvals' || change.value !== '0') return false;
  } else if (change.known?.length === 0) return false;
  return (await policyOf(context, 'reactivation-approvals')) !== '0';
}
