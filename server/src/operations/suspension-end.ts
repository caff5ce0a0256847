/** The end that a suspension is given when it begins. */

import { newApprovalId } from '../credentials/identifiers.ts';
import type { ApprovalRecord } from '../ports/approvals.ts';
import type { Change } from '../ports/store.ts';
import type { NewSuspension } from '../ports/suspensions.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireFuture } from './input.ts';

type Suspending = Extract<Change, { kind: 'program.suspend' | 'client.suspend' }>;

/** A moment to come, or none; with the approval that it is to need, should the policy demand one. Throws `ChangeRefused`. */
export function suspensionEnd(
  { clock, randomness }: Pick<OperationContext, 'clock' | 'randomness'>,
  untilMs: number | undefined,
): Omit<NewSuspension, 'reason'> {
  if (untilMs === undefined) return {};
  return {
    untilMs: requireFuture('--until', untilMs, clock.wallMs()),
    approvalId: newApprovalId(randomness),
  };
}

export type Suspended = Done & {
  /** What its end waits for, where the policy demands an approval. */
  readonly endApproval?: ApprovalRecord;
};

/** Commits a suspension and waits for its receipt; tells of the question whether it may end. Throws `ChangeRefused`. */
export async function suspendAndAwait(
  context: OperationContext,
  change: Suspending,
): Promise<Suspended> {
  return { ...(await commitAndAwait(context, change)), ...(await endOf(context, change)) };
}

/** The question whether a suspension may end, if it was asked. */
export async function endOf(
  { directory }: Pick<OperationContext, 'directory'>,
  { approvalId }: Pick<NewSuspension, 'approvalId'>,
): Promise<Pick<Suspended, 'endApproval'>> {
  if (approvalId === undefined) return {};
  const [endApproval] = await directory.approvals({ approvalId, limit: 1 });
  return endApproval === undefined ? {} : { endApproval };
}
