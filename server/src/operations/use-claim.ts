/** What the holder of a claim can do with it: look at it, have its secret made and shown, and stop that secret if somebody else had it. */

import { isClaimCode, macOfClaimCode, macOfPassphrase } from '../credentials/claim-codes.ts';
import { sameMac } from '../credentials/secret-hash.ts';
import type { Secret } from '../credentials/secret-value.ts';
import type { ClaimAttempt } from '../ports/claims.ts';
import type { EnvironmentRecord } from '../ports/model.ts';
import { ChangeRefused, type Committed, StoreUnavailable } from '../ports/store.ts';
import type { OperationContext } from './context.ts';
import { claimState, type ListedClaim } from './read-claims.ts';
import { makeSecret } from './secret-material.ts';

/** A claim whose code was right. */
export type OpenedClaim = {
  readonly claim: ListedClaim;
  readonly environment: EnvironmentRecord;
  readonly codeMac: Uint8Array;
};

const CLAIM_ID = /^clm_[0-9A-Za-z]{16}$/;

/** The claim that a link names; undefined when there is none, or its code is wrong. Throws `StoreUnavailable`. */
export async function openClaim(
  context: OperationContext,
  link: {
    readonly environment: EnvironmentRecord;
    readonly claimId: string;
    readonly code: string;
  },
): Promise<OpenedClaim | undefined> {
  const { environment, claimId, code } = link;
  if (!CLAIM_ID.test(claimId) || !isClaimCode(code)) return undefined;
  const hashes = await context.directory.claimHashes(claimId);
  if (hashes === undefined) return undefined;
  const key = claimKey(context, environment, hashes.keyVersion);
  if (key === undefined) return undefined;
  const codeMac = macOfClaimCode(key, claimId, code);
  if (!sameMac(codeMac, hashes.codeMac)) return undefined;
  const [claim] = await context.directory.claims({ claimId });
  if (claim === undefined || claim.environment !== environment.name) return undefined;
  const state = claimState(claim, context.clock.wallMs());
  return { claim: { ...claim, state }, environment, codeMac };
}

export type Revealed = {
  readonly outcome: 'revealed';
  readonly clientSecret: Secret;
  readonly secretId: string;
  /** Of the change that every node must have applied before each of them knows the secret. */
  readonly committed: Committed | undefined;
};

/** 'closed': it could not be used after all; whoever asks again learns why. */
export type NotDone = { readonly outcome: 'wrong-passphrase' | 'no-room' | 'closed' };

type Presented = { readonly passphrase: string; readonly from: string };

/**
 * Makes the secret of a claim in the transaction that marks the claim as used, and hands it out this once. Throws `StoreUnavailable`;
 * unless the outcome was unknown, nothing was used up then.
 */
export async function revealSecret(
  context: OperationContext,
  opened: OpenedClaim,
  presented: Presented,
): Promise<Revealed | NotDone> {
  const { clientSecret, stored } = makeSecret(context, opened.environment, {
    name: undefined,
    expiresAtMs: undefined,
  });
  const { secretId } = stored;
  const attempt = await attemptOf(context, opened, presented);
  try {
    const change = { kind: 'claim.use', attempt, secret: stored } as const;
    const { actor, changes, clock } = context;
    const committed = await changes.commit({ change, actor, atMs: clock.wallMs() });
    if (committed.recordedAs === 'claim.failed') return { outcome: 'wrong-passphrase' };
    return { outcome: 'revealed', clientSecret, secretId, committed };
  } catch (error) {
    if (error instanceof ChangeRefused) {
      return { outcome: error.code === 'limit' ? 'no-room' : 'closed' };
    }
    // The answer of the store was lost, and perhaps the change was not: then the secret is at hand, and only here.
    const [claim] = await context.directory.claims({ claimId: attempt.claimId });
    if (claim?.secretId !== secretId) throw error;
    return { outcome: 'revealed', clientSecret, secretId, committed: undefined };
  }
}

/** Ends the secret that a claim has handed out, and every token that it got. Throws `StoreUnavailable`. */
export async function stopSecret(
  context: OperationContext,
  opened: OpenedClaim,
  presented: Presented,
): Promise<{ readonly outcome: 'stopped'; readonly committed: Committed } | NotDone> {
  const attempt = await attemptOf(context, opened, presented);
  try {
    const { actor, changes, clock } = context;
    const change = { kind: 'claim.stop', attempt } as const;
    const committed = await changes.commit({ change, actor, atMs: clock.wallMs() });
    if (committed.recordedAs === 'claim.failed') return { outcome: 'wrong-passphrase' };
    return { outcome: 'stopped', committed };
  } catch (error) {
    if (!(error instanceof ChangeRefused)) throw error;
    return { outcome: error.code === 'invalid' ? 'wrong-passphrase' : 'closed' };
  }
}

async function attemptOf(
  context: OperationContext,
  { claim, environment, codeMac }: OpenedClaim,
  { passphrase, from }: Presented,
): Promise<ClaimAttempt> {
  const { claimId } = claim;
  const hashes = await context.directory.claimHashes(claimId);
  const key = claimKey(context, environment, hashes?.keyVersion ?? 0);
  if (key === undefined) throw new StoreUnavailable('the key of a claim is gone');
  return { claimId, codeMac, passphraseMac: macOfPassphrase(key, claimId, passphrase), from };
}

/** Undefined: it is retired, and no claim under it is open. Throws for one that this node has not heard of: never an answer. */
function claimKey(
  { keyRing }: OperationContext,
  { ordinal }: EnvironmentRecord,
  version: number,
): ReturnType<typeof keyRing.claimKey> {
  const key = keyRing.claimKey(ordinal, version);
  if (key === undefined && version > keyRing.newestPepperVersion(ordinal)) {
    throw new StoreUnavailable('a key is not loaded yet');
  }
  return key;
}
