/**
 * Whose token it is, for a service that asks in this very process: what introspection answers, at once and without a wire. Whoever asks
 * here holds the keys already, so that it needs no credentials and may see every token of the environment.
 */

import { expiresAtSeconds, isRefusal, type Reason } from '@countersign/protocol';
import { refuseElsewhere } from './address-check.ts';
import { canonicalAddress } from './canonical-address.ts';
import { type Authority, environmentOf } from './context.ts';
import { type Verified, type Verifying, verifyToken } from './verify-token.ts';
import { whenKnown } from './when-known.ts';

export type Question = {
  readonly token: string;
  /** Address that the token was presented from, where the service knows it. */
  readonly clientIp: string | undefined;
};

export type Identified =
  | {
      readonly standing: 'active';
      readonly identity: {
        readonly programId: string;
        readonly clientId: string;
        readonly scope: ReadonlySet<string>;
        readonly tokenId: string;
        readonly audience: string;
        readonly expiresAtSeconds: number;
      };
    }
  | { readonly standing: 'inactive' }
  /** It says nothing about the token. */
  | { readonly standing: 'unknown'; readonly outage: Outage };

/** For the log of the service: it names neither token nor caller. */
type Outage = {
  readonly code: 'unavailable' | 'unreadable';
  readonly message: string;
  readonly retryAfterSeconds: number;
};

type Parts = Verifying & Pick<Authority, 'credentials' | 'recordChecks'>;
type Live = Verified & { readonly standing: 'live' };

const INACTIVE: Identified = { standing: 'inactive' };

/** The question about the tokens of one environment. It never throws, and its promise never rejects: what fails is 'unknown'. */
export function newIdentify(
  parts: Parts,
  ordinal: number,
): (question: Question) => Identified | Promise<Identified> {
  const ask = (question: Question): Identified | Promise<Identified> =>
    whenKnown(verifyToken(parts, ordinal, question.token), (verified) => {
      if (isRefusal(verified)) return refused(verified.reason);
      return verified.standing === 'live' ? judged(question, verified) : INACTIVE;
    });

  const judged = (question: Question, verified: Live): Identified | Promise<Identified> => {
    const { client } = verified.claims;
    // Only those who are held to their addresses pay for the spelling of one.
    const isHeld = parts.replica.clients.verifiesAddress(client) && question.clientIp !== undefined;
    const from = isHeld ? canonicalAddress(question.clientIp) : undefined;
    if (isHeld && from === undefined) return unknown('unreadable', NO_ADDRESS);
    const elsewhere = refuseElsewhere(parts, client, from);
    if (elsewhere === undefined) return identified(parts, ordinal, verified);
    if (!(elsewhere instanceof Promise)) return INACTIVE;
    // The owner had to be read, and the token may have died meanwhile.
    return elsewhere.then((missing) =>
      missing === undefined ? ask(question) : refused(missing.reason),
    );
  };

  return (question) => {
    try {
      const answer = ask(question);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  };
}

function identified(parts: Parts, ordinal: number, verified: Live): Identified {
  const { claims, jti } = verified;
  parts.recordChecks.verified(verified);
  const { clients, program } = parts.replica;
  const environment = environmentOf(parts, ordinal);
  const scope = environment.scopeSets.get(claims.scopeSet) ?? '';
  return {
    standing: 'active',
    identity: {
      programId: program(clients.program(claims.client))?.programId ?? '',
      clientId: clients.clientId(claims.client),
      // Made anew for each: a handler that adds to its own gives nothing to anybody else.
      scope: new Set(scope === '' ? [] : scope.split(' ')),
      tokenId: jti,
      audience: environment.resources.get(claims.resource) ?? environment.issuer,
      expiresAtSeconds: expiresAtSeconds(claims),
    },
  };
}

const RETRY_AFTER_SECONDS = 1;
const NO_ADDRESS = 'clientIp is no IP address: ask what wrote it';
const LEASE_LOST = 'this process has had no news from the store for its whole lease';
const STORE = 'the store cannot be asked about a token that may be newer than what is known here';

function unknown(code: Outage['code'], message: string): Identified {
  const outage = { code, message, retryAfterSeconds: RETRY_AFTER_SECONDS };
  return { standing: 'unknown', outage };
}

function refused(reason: Reason): Identified {
  return unknown('unavailable', reason === 'lease-lost' ? LEASE_LOST : STORE);
}

/** Whatever went wrong, it is this side's trouble, and never the token's. */
function failed(error: unknown): Identified {
  return unknown('unavailable', `a token cannot be judged: ${(error as Error).message}`);
}
