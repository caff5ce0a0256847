/** Makes claims: the link and the passphrase for their owner, once, and what the store may know of them. */

import {
  macOfClaimCode,
  macOfPassphrase,
  newClaimCode,
  newPassphrase,
} from '../credentials/claim-codes.ts';
import { newClaimId } from '../credentials/identifiers.ts';
import { Secret } from '../credentials/secret-value.ts';
import type { ClaimPurpose, NewClaim } from '../ports/claims.ts';
import type { EnvironmentRecord } from '../ports/model.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { OperationContext } from './context.ts';
import { invalid, requireFuture } from './input.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const CLAIM_LIFETIME_MS = 7 * DAY_MS;
const CLAIM_LIFETIME_MS_MAX = 30 * DAY_MS;

/** What whoever asks for a claim may choose. */
export type ClaimOptions = {
  /** When the link dies; left out: in seven days, or when the secret would end. */
  readonly expiresAtMs?: number | undefined;
  /** False: whoever has the link needs nothing else. */
  readonly passphrase?: boolean | undefined;
};

/** What is handed over, by two ways: printed here and never again. */
export type Handover = {
  readonly claimId: string;
  readonly claimUrl: Secret;
  readonly claimPassphrase?: Secret;
  readonly claimExpiresAtMs: number;
};

export type ClaimedSecret = {
  readonly purpose: ClaimPurpose;
  readonly name?: string | undefined;
  readonly secretExpiresAtMs?: number | undefined;
  readonly overlapMs: number;
};

/** A new claim below an environment's issuer. Throws `ChangeRefused` for an end that cannot be. */
export function makeClaim(
  context: Pick<OperationContext, 'keyRing' | 'randomness' | 'clock'>,
  environment: EnvironmentRecord,
  wanted: ClaimedSecret & { readonly options: ClaimOptions },
): { readonly handover: Handover; readonly stored: NewClaim } {
  const { keyRing, randomness, clock } = context;
  const { purpose, name, secretExpiresAtMs, overlapMs, options } = wanted;
  const expiresAtMs = claimEnd(options.expiresAtMs, secretExpiresAtMs, clock.wallMs());
  const claimId = newClaimId(randomness);
  const code = newClaimCode(randomness);
  const passphrase = options.passphrase === false ? undefined : newPassphrase(randomness);
  const keyVersion = keyRing.newestPepperVersion(environment.ordinal);
  const key = keyRing.claimKey(environment.ordinal, keyVersion);
  if (key === undefined) throw new StoreUnavailable('the keys are not loaded');
  const stored: NewClaim = {
    claimId,
    purpose,
    overlapMs,
    expiresAtMs,
    keyVersion,
    codeMac: macOfClaimCode(key, claimId, code.reveal()),
    ...(passphrase === undefined
      ? {}
      : { passphraseMac: macOfPassphrase(key, claimId, passphrase.reveal()) }),
    ...(name === undefined ? {} : { secretName: name }),
    ...(secretExpiresAtMs === undefined ? {} : { secretExpiresAtMs }),
  };
  const handover = {
    claimId,
    claimUrl: new Secret(`${environment.issuer}/claim/${claimId}/${code.reveal()}`),
    ...(passphrase === undefined ? {} : { claimPassphrase: passphrase }),
    claimExpiresAtMs: expiresAtMs,
  };
  return { handover, stored };
}

function claimEnd(
  chosenMs: number | undefined,
  secretExpiresAtMs = Number.POSITIVE_INFINITY,
  nowMs: number,
): number {
  if (chosenMs === undefined) return Math.min(nowMs + CLAIM_LIFETIME_MS, secretExpiresAtMs);
  requireFuture('--claim-expires', chosenMs, nowMs);
  if (chosenMs > nowMs + CLAIM_LIFETIME_MS_MAX) {
    throw invalid('--claim-expires may lie 30 days ahead at most');
  }
  if (chosenMs <= secretExpiresAtMs) return chosenMs;
  throw invalid('--claim-expires must not lie after the end of the secret (--expires)');
}
