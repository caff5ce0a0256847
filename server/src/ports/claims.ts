/** Claims: the right to be shown, once, a secret that does not exist until then. What stores keep and hand out of them. */

import type { ClientState } from './model.ts';

/** What revealing does: adds a secret to those of the client, or replaces them after an overlap. */
export type ClaimPurpose = 'create' | 'rotate';

/** Wrong passphrases after which a claim is dead. */
export const CLAIM_FAILURES_MAX = 5;
/** How long after its use a claim's holder can still stop the secret, should the claim have run out by then. */
export const CLAIM_STOP_MS = 24 * 60 * 60 * 1000;

/** What proves that somebody holds a claim: keyed hashes of its code and of the passphrase that goes another way. */
export type ClaimHashes = {
  readonly codeMac: Uint8Array;
  /** Left out: whoever has the link needs no more. */
  readonly passphraseMac?: Uint8Array;
  /** Version of the environment's root key for secrets, from which the key of these hashes is derived. */
  readonly keyVersion: number;
};

export type NewClaim = ClaimHashes & {
  readonly claimId: string;
  readonly purpose: ClaimPurpose;
  readonly expiresAtMs: number;
  /** Of the secret to be. */
  readonly secretName?: string;
  readonly secretExpiresAtMs?: number;
  /** Of a rotation: how long the earlier secrets stay good, counted from the reveal. */
  readonly overlapMs: number;
};

export type ClaimRecord = {
  readonly claimId: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly clientState: ClientState;
  readonly programSuspended: boolean;
  readonly environment: string;
  readonly purpose: ClaimPurpose;
  readonly needsPassphrase: boolean;
  /** Wrong passphrases so far. */
  readonly failures: number;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number;
  readonly secretName?: string;
  readonly secretExpiresAtMs?: number;
  readonly overlapMs: number;
  readonly usedAtMs?: number;
  readonly usedFrom?: string;
  /** The secret that was made at its use. */
  readonly secretId?: string;
  /** When its holder stopped that secret, having found the claim used by somebody else. */
  readonly stoppedAtMs?: number;
  readonly revokedAtMs?: number;
};

/** What whoever opens a claim presents, hashed, and where from. */
export type ClaimAttempt = {
  readonly claimId: string;
  readonly codeMac: Uint8Array;
  readonly passphraseMac?: Uint8Array;
  readonly from: string;
};
