/** The claims there are, and what became of them. Shows neither code nor passphrase: nobody knows them any more. */

import { CLAIM_FAILURES_MAX, type ClaimRecord } from '../ports/claims.ts';
import { ChangeRefused } from '../ports/store.ts';
import type { OperationContext } from './context.ts';
import { requireClaimId } from './input.ts';
import { requireClient } from './read-directory.ts';

type Reads = Pick<OperationContext, 'directory' | 'clock'>;

/** 'stopped': used, and its secret ended by the holder. 'locked': too many wrong passphrases. */
export type ClaimState = 'open' | 'used' | 'stopped' | 'revoked' | 'locked' | 'expired';

export type ListedClaim = ClaimRecord & { readonly state: ClaimState };

/** Claims of one client, or of all: what ended more than 90 days ago is left to the audit trail. Throws `ChangeRefused`. */
export async function listClaims(
  context: Reads,
  input: { readonly clientId?: string | undefined },
): Promise<readonly ListedClaim[]> {
  const filter =
    input.clientId === undefined
      ? {}
      : { clientId: (await requireClient(context, input.clientId)).clientId };
  const nowMs = context.clock.wallMs();
  return (await context.directory.claims(filter)).map((claim) => listed(claim, nowMs));
}

/** One claim. Throws `ChangeRefused`. */
export async function showClaim(
  context: Reads,
  input: { readonly claimId: string },
): Promise<ListedClaim> {
  const claimId = requireClaimId(input.claimId);
  const [claim] = await context.directory.claims({ claimId });
  if (claim !== undefined) return listed(claim, context.clock.wallMs());
  throw new ChangeRefused(
    'not-found',
    `there is no claim ${claimId}; 'countersign claim list' shows the ones there are`,
  );
}

function listed(claim: ClaimRecord, nowMs: number): ListedClaim {
  return { ...claim, state: claimState(claim, nowMs) };
}

export function claimState(claim: ClaimRecord, nowMs: number): ClaimState {
  if (claim.stoppedAtMs !== undefined) return 'stopped';
  if (claim.usedAtMs !== undefined) return 'used';
  if (claim.failures >= CLAIM_FAILURES_MAX) return 'locked';
  if (claim.revokedAtMs !== undefined) return 'revoked';
  return claim.expiresAtMs <= nowMs ? 'expired' : 'open';
}
