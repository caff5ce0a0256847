/** Verifies an access token in memory: opens it, asks the replica, and decides only while the lease runs. */

import { type Refusal, refuse } from '@countersign/protocol';
import type { TokenClaims } from '../credentials/access-token.ts';
import { standingOf } from '../replica/standing.ts';
import type { Authority } from './context.ts';

/** The parts that a verification needs. */
export type Verifying = Pick<Authority, 'replica' | 'follower' | 'keyRing' | 'clock' | 'open'>;

export type Verified =
  | { readonly standing: 'live'; readonly jti: string; readonly claims: TokenClaims }
  /** Known for what it is and dead. */
  | {
      readonly standing: 'expired' | 'revoked';
      readonly jti: string;
      readonly claims: TokenClaims;
    }
  | { readonly standing: 'unknown' };

/**
 * What a presented token is worth in an environment at this moment: at once, unless this node has to catch up first. A refusal
 * means that it cannot tell: an outage, and never a reason to call the token invalid. Throws `StoreUnavailable` when catching
 * up fails.
 */
export function verifyToken(
  authority: Verifying,
  environment: number,
  text: string,
): Verified | Refusal | Promise<Verified | Refusal> {
  const verified = verifyNow(authority, environment, text);
  if (verified !== 'ahead' && verified !== 'newer-key') return decided(authority, verified);
  // The token seems to be made by a node that knows more than this one.
  return authority.follower
    .catchUp()
    .then(() => decided(authority, verifyNow(authority, environment, text)));
}

function decided(
  authority: Verifying,
  verified: Verified | 'ahead' | 'newer-key',
): Verified | Refusal {
  // After the last await, in the same synchronous step as the decision.
  if (!authority.follower.mayDecide()) return refuse('lease-lost');
  // Proven to be ours, and still ahead of a log that was just read to its end: not this store's, so not ours to judge.
  if (verified === 'ahead') return refuse('store-unavailable');
  // A key number proves nothing: anybody can write one.
  return verified === 'newer-key' ? { standing: 'unknown' } : verified;
}

function verifyNow(
  authority: Verifying,
  environment: number,
  text: string,
): Verified | 'ahead' | 'newer-key' {
  const { keyRing, replica, clock, open } = authority;
  const opened = open(text, keyRing.tokenKeys(environment));
  if (!opened.ok) {
    const isNewer =
      opened.why === 'unknown-key' && opened.keyVersion > keyRing.newestTokenVersion(environment);
    return isNewer ? 'newer-key' : { standing: 'unknown' };
  }
  const { jti, claims } = opened;
  const standing = standingOf(opened, { environment, nowMs: clock.wallMs() }, replica);
  if (standing === 'ahead') return 'ahead';
  return standing === 'other-environment' ? { standing: 'unknown' } : { standing, jti, claims };
}
