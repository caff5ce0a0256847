/** Suspensions and approvals as stores hand them out. Absent is `undefined`; times are wall-clock milliseconds. */

import type { ApprovalDirectory } from './approvals.ts';

/** One suspension of one program or one client. A program or client is suspended while any of its own is open. */
export type SuspensionRecord = {
  readonly ordinal: number;
  readonly suspensionId: string;
  /** The one or the other. */
  readonly programId?: string;
  readonly clientId?: string;
  readonly reason: string;
  readonly openedAtMs: number;
  readonly openedBy: string;
  /** When it ends by itself. */
  readonly untilMs?: number;
  /** Approval that this end needs while the policy demands one. */
  readonly endApprovalId?: string;
  readonly closedAtMs?: number;
  readonly closedBy?: string;
};

export type NewSuspension = {
  readonly reason: string;
  /** When it ends by itself; left out: never. */
  readonly untilMs?: number | undefined;
  /** Id of the approval that this end is to need, should the policy demand one. */
  readonly approvalId?: string | undefined;
};

const PREFIX = 'suspension_';

export const suspensionId = (ordinal: number): string => `${PREFIX}${ordinal}`;

/** The ordinal that an id names; undefined for text that is no id of a suspension. */
export function ordinalOfSuspension(id: string): number | undefined {
  const digits = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : '';
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : undefined;
}

export type SuspensionDirectory = ApprovalDirectory & {
  /** Of one program or one client: the open ones, or all of them, oldest first. */
  suspensions(filter: {
    readonly programId?: string;
    readonly clientId?: string;
    readonly openOnly: boolean;
  }): Promise<readonly SuspensionRecord[]>;
  /** Ordinals of open suspensions whose end has come at `atMs` and may be carried out; at most `limit`, the earliest first. */
  dueSuspensions(atMs: number, limit: number): Promise<readonly number[]>;
  /** What time it is where the store is. */
  wallMs(): Promise<number>;
};
