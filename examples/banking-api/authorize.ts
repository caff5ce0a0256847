/**
 * Decides whose request this is, or throws what to answer (RFC 6750): the token from the one place where it may stand,
 * its standing from the authority, its scope against what the route needs. Knows nothing of accounts.
 */

import type { IncomingMessage } from 'node:http';
import { type BearerWire, bearerRefusal, bearerToken } from '@countersign/protocol';
import { type Answer, failure, Refused } from './answer.ts';
import type { ActiveToken, Introspect } from './introspection.ts';

export const REALM = 'banking-api';

export type Authorize = (request: IncomingMessage, scope: string) => Promise<ActiveToken>;

/** Makes the check that stands before every route. */
export function makeAuthorize(parts: {
  readonly introspect: Introspect;
  readonly issuer: string;
  readonly warn: (message: string) => void;
}): Authorize {
  const { introspect, issuer, warn } = parts;
  const invalidToken = new Refused(answerOf(invalidTokenWire(`${issuer}/token`)));

  return async (request, scope) => {
    const presented = bearerToken({
      // Node keeps only the first of two headers in `headers`; two are refused, never chosen from (RFC 6750 §2).
      authorization: request.headersDistinct['authorization'] ?? [],
      query: queryOf(request),
    });
    if ('reason' in presented) {
      if (presented.reason === 'malformed-token') throw invalidToken;
      throw new Refused(answerOf(bearerRefusal(REALM, presented.reason)));
    }
    const introspected = await introspect(presented.token);
    if (introspected.standing === 'unknown') {
      const { cause, retryAfterSeconds } = introspected;
      warn(`A token could not be checked: ${cause}.`);
      const wire = bearerRefusal(REALM, 'authority-unavailable', { retryAfterSeconds });
      throw new Refused(answerOf(wire));
    }
    if (introspected.standing === 'inactive') throw invalidToken;
    if (!introspected.token.scope.has(scope)) {
      throw new Refused(answerOf(bearerRefusal(REALM, 'insufficient-scope', { scope })));
    }
    return introspected.token;
  };
}

function queryOf({ url = '' }: IncomingMessage): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/**
 * RFC 7662 §2.2 tells nothing of a token that is not active, so that expired and revoked are one answer here, and it says
 * what mends both.
 */
function invalidTokenWire(tokenEndpoint: string): BearerWire {
  const description =
    'The access token expired, was revoked or is not valid here; authenticate again at ' +
    // What a quoted string of a challenge may hold.
    tokenEndpoint.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '');
  const challenge = `Bearer realm="${REALM}", error="invalid_token", error_description="${description}"`;
  return {
    status: 401,
    error: 'invalid_token',
    description,
    headers: { 'WWW-Authenticate': challenge },
  };
}

/** RFC 6750 §3.1: without a token the challenge names no error; the body, which is ours, does. */
function answerOf({ status, error, description, headers }: BearerWire): Answer {
  return failure({ status, code: error ?? 'unauthorized', description, headers });
}
