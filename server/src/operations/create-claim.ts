/** Hands the next secret of a client over by a claim instead of showing it: nobody but its owner ever sees it. */

import { type ClaimOptions, type Handover, makeClaim } from './claim-material.ts';
import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import { invalid, optionalName, requireFuture } from './input.ts';
import { requireClient } from './read-directory.ts';
import { OVERLAP_MS } from './rotate-secret.ts';

export type CreatedClaim = Done & Handover & { readonly clientId: string };

type Input = {
  readonly clientId: string;
  /** Of the secret to be. */
  readonly name?: string | undefined;
  readonly expiresAtMs?: number | undefined;
  readonly claim: ClaimOptions;
};

/** A claim of one more secret. Throws `ChangeRefused`, also when as many are live as may be. */
export async function claimSecret(context: OperationContext, input: Input): Promise<CreatedClaim> {
  return await createClaim(context, { ...input, purpose: 'create', overlapMs: 0 });
}

/** A claim of a secret that replaces the client's others; their overlap begins when it is revealed. Throws `ChangeRefused`. */
export async function claimRotation(
  context: OperationContext,
  input: Input & { readonly overlapMs?: number | undefined },
): Promise<CreatedClaim> {
  const { overlapMs = OVERLAP_MS } = input;
  if (!(overlapMs >= 0)) throw invalid('--overlap must not be negative');
  return await createClaim(context, { ...input, purpose: 'rotate', overlapMs });
}

async function createClaim(
  context: OperationContext,
  input: Input & { readonly purpose: 'create' | 'rotate'; readonly overlapMs: number },
): Promise<CreatedClaim> {
  const { expiresAtMs, purpose, overlapMs } = input;
  const name = optionalName(input.name);
  if (expiresAtMs !== undefined) requireFuture('--expires', expiresAtMs, context.clock.wallMs());
  const { clientId, environment } = await requireClient(context, input.clientId);
  const { handover, stored } = makeClaim(context, await environmentNamed(context, environment), {
    ...{ purpose, name, overlapMs },
    secretExpiresAtMs: expiresAtMs,
    options: input.claim,
  });
  const done = await commitAndAwait(context, { kind: 'claim.create', clientId, claim: stored });
  return { clientId, ...handover, ...done };
}
