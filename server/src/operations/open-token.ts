/** Opens a token that an operator holds and tells what it is worth now. Never repeats the token. */

import { expiresAtSeconds } from '@countersign/protocol';
import { type Opened, openToken, type TokenClaims } from '../credentials/access-token.ts';
import type { EnvironmentRecord } from '../ports/model.ts';
import { newReplica, type Replica } from '../replica/replica.ts';
import { type Standing, standingOf } from '../replica/standing.ts';
import type { OperationContext } from './context.ts';

export type KnownToken = {
  readonly jti: string;
  readonly claims: TokenClaims;
  readonly environment: EnvironmentRecord;
  readonly expiresAtMs: number;
  readonly standing: Extract<Standing, 'live' | 'expired' | 'revoked'>;
};

export type UnknownToken = {
  readonly standing: 'unknown';
  /** Why it is not one of ours, in words. */
  readonly because: string;
};

/** The state of the whole authority at this moment, as a node would hold it. */
export function currentReplica(
  context: Pick<OperationContext, 'log' | 'replica'>,
): Promise<Replica> {
  if (context.replica !== undefined) return context.replica();
  const replica = newReplica({ key: () => {}, clientChanged: () => {}, reset: () => {} });
  return context.log.snapshot((snapshot) => {
    replica.load(snapshot);
    return replica;
  });
}

/** What a token is and whether it is alive; anything that is not provably ours is unknown. */
export function judgeToken(
  context: Pick<OperationContext, 'keyRing' | 'clock'>,
  replica: Replica,
  text: string,
): KnownToken | UnknownToken {
  const { environment, opened } = openAnywhere(context, replica, text.trim());
  if (!opened.ok) return { standing: 'unknown', because: whyNot(opened) };
  const { jti, claims } = opened;
  const at = { environment: environment.ordinal, nowMs: context.clock.wallMs() };
  const standing = standingOf(opened, at, replica);
  if (standing === 'ahead' || standing === 'other-environment') {
    const because =
      'it was sealed under a key of this store but names what the store does not hold';
    return { standing: 'unknown', because };
  }
  return { jti, claims, environment, expiresAtMs: expiresAtSeconds(claims) * 1000, standing };
}

type Attempt = { readonly environment: EnvironmentRecord; readonly opened: Opened };

/** Opens with the keys of the environment that the token's public tag names. */
function openAnywhere(
  context: Pick<OperationContext, 'keyRing'>,
  replica: Replica,
  text: string,
): Attempt {
  const attempts = replica.environments().map((environment) => ({
    environment,
    opened: openToken(text, context.keyRing.tokenKeys(environment.ordinal)),
  }));
  const own = attempts.find(({ opened }) => opened.ok || !isElsewhere(opened));
  const attempt = own ?? attempts[0];
  if (attempt === undefined) throw new Error('the store has no environment');
  return attempt;
}

function isElsewhere(opened: Extract<Opened, { ok: false }>): boolean {
  return opened.why === 'other-environment' || opened.why === 'malformed';
}

function whyNot(opened: Extract<Opened, { ok: false }>): string {
  switch (opened.why) {
    case 'malformed':
      return 'it has not the form of an access token: it may be cut off or mistyped';
    case 'other-environment':
      return 'its tag names no environment of this store';
    case 'unknown-key':
      return 'it names a key that this store does not have, or has retired';
    case 'forged':
      return 'it was not sealed by this store: it is altered or forged';
  }
}
