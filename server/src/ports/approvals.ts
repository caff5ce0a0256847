/** Approvals: what one person asks for and another one allows, as stores hand them out. */

import type { PolicyName } from './policies.ts';

/** What may need an approval: no more than these, each as the store takes it. */
export type Approvable =
  | (Reactivation &
      BreakGlass & { readonly kind: 'program.reactivate'; readonly programId: string })
  | (Reactivation & BreakGlass & { readonly kind: 'client.reactivate'; readonly clientId: string })
  | (BreakGlass & {
      readonly kind: 'policy.set';
      readonly name: PolicyName;
      readonly value: string;
    });

/** What it is about. */
export function targetOf(change: Approvable): string {
  if (change.kind === 'program.reactivate') return change.programId;
  return change.kind === 'client.reactivate' ? change.clientId : `policy/${change.name}`;
}

export type Reactivation = {
  /** Ordinals of the suspensions that were open when this was decided: one more, and it is refused. Left out: whatever is open. */
  readonly known?: readonly number[] | undefined;
  /** Only this one ends; the others stay. */
  readonly suspension?: number | undefined;
};

type BreakGlass = {
  /** Why no approval is waited for, where one is demanded. */
  readonly breakGlass?: string | undefined;
};

export type ApprovalRecord = {
  readonly approvalId: string;
  /** Kind of the change that is asked for; `suspension.end` for the end that a suspension was given. */
  readonly asks: string;
  /** Program, client or policy; `clients` for many. */
  readonly target: string;
  readonly reason?: string;
  readonly askedAtMs: number;
  readonly askedBy: string;
  readonly expiresAtMs: number;
  /** One that is pending can be granted until it expires. */
  readonly state: 'pending' | 'granted' | 'refused';
  readonly decidedAtMs?: number;
  readonly decidedBy?: string;
};

export type ApprovalDirectory = {
  /** The newest first: one of them, those that can be granted at a moment, or all; at most `limit`. */
  approvals(filter: {
    readonly approvalId?: string;
    readonly pendingAtMs?: number;
    readonly limit: number;
  }): Promise<readonly ApprovalRecord[]>;
};
