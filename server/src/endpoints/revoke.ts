/**
 * POST /revoke (RFC 7009): a client kills a token of its own. The answer is 200 once no node accepts the token any more, and also
 * for a token that was dead or never was.
 */

import { expiresAtSeconds, isRefusal, refuse } from '@countersign/protocol';
import { answering, isRefused, type Refused } from './answering.ts';
import { refusedOf } from './authenticate.ts';
import { callerOf } from './caller.ts';
import type { Authority } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import { newPace, type Pace } from './pace.ts';
import { verifyToken } from './verify-token.ts';

/** Lines that one client may add to the audit trail by tokens of others; the log tells of the rest. */
const STRANGERS = { atOnce: 20, refillMs: 60_000, rememberedMax: 1_000 };

const DONE: Answer = { status: 200, body: '' };

/** The handler of one environment's revocation endpoint. */
export function revokeEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
): (incoming: Incoming) => Answer | Promise<Answer> {
  const strangers = newPace(STRANGERS);
  return answering(authority, { endpoint: 'revoke', environment }, (incoming) =>
    revoke(authority, environment.ordinal, { incoming, strangers }),
  );
}

async function revoke(
  authority: Authority,
  ordinal: number,
  asked: { readonly incoming: Incoming; readonly strangers: Pace },
): Promise<Answer | Refused> {
  const { incoming } = asked;
  const caller = await callerOf(authority, ordinal, incoming);
  if (isRefused(caller)) return caller;
  const { clientId } = caller.client;
  const verified = await verifyToken(authority, ordinal, caller.query.token);
  if (isRefusal(verified)) return refusedOf(caller, verified);
  // RFC 7009 §2.2: a token that is not known is not worth an error.
  if (verified.standing === 'unknown' || verified.standing === 'expired') return DONE;
  const { jti, claims } = verified;
  if (claims.client !== caller.client.ordinal) {
    reportStranger(authority, asked, { client: clientId, jti, owner: claims.client });
    return refusedOf(caller, refuse('token-of-another-client'));
  }
  const change =
    verified.standing === 'live'
      ? await authority.changes.commit({
          change: {
            kind: 'token.revoke',
            jti,
            client: claims.client,
            expiresAtMs: expiresAtSeconds(claims) * 1000,
          },
          actor: `client:${clientId}`,
          atMs: authority.clock.wallMs(),
        })
      : // Dead here already; but the other nodes must have heard of it too before this says so.
        authority.replica.position;
  const receipt = await authority.receipt(change);
  if (!receipt.complete) return refusedOf(caller, refuse('store-unavailable'));
  return DONE;
}

/** Whoever holds a token of another client has found a leak: that stands in the audit trail. */
function reportStranger(
  authority: Authority,
  { incoming, strangers }: { readonly incoming: Incoming; readonly strangers: Pace },
  found: { readonly client: string; readonly jti: string; readonly owner: number },
): void {
  const { client, jti } = found;
  const detail = {
    owner: authority.replica.clients.clientId(found.owner),
    requestId: incoming.requestId,
    address: incoming.address,
  };
  authority.log.warn({ client, jti, ...detail }, 'a client presented a token of another client');
  if (strangers.waitMs(client, authority.clock.monotonicMs()) > 0) return;
  authority.background.run('leak signal', () =>
    authority.changes.record({
      actor: `client:${client}`,
      atMs: authority.clock.wallMs(),
      action: 'token.presented-by-stranger',
      target: jti,
      detail,
    }),
  );
}
