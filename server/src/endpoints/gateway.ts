/**
 * Who may ask about other people's tokens at `/verify`: a socket from a declared address, or whoever sends the credentials of a resource
 * server in a header of its own. A token that was found must not tell a stranger whose it is.
 */

import { basicCredentials, refuse } from '@countersign/protocol';
import type { ClientCredentials } from '../ports/model.ts';
import { isRefused, type Refused } from './answering.ts';
import { authenticate, clientOf, refuseThrottled } from './authenticate.ts';
import { canonicalAddress } from './canonical-address.ts';
import { type Authority, environmentOf } from './context.ts';
import { headerOf, type Incoming } from './exchange.ts';
import { whenKnown } from './when-known.ts';

/** `Basic` and base64 of `client_id:client_secret`, as every gateway can send it. Not `Authorization`: that is the caller's. */
const HEADER = 'x-gateway-authorization';

/** The resource server that asks; undefined: a declared address, which sees all. */
export function gatewayOf(
  authority: Authority,
  ordinal: number,
  asked: { readonly incoming: Incoming; readonly isGateway: (address: string) => boolean },
): ClientCredentials | Refused | undefined | Promise<ClientCredentials | Refused | undefined> {
  const { incoming, isGateway } = asked;
  // A declared proxy may stand at the same address, and passes on what strangers ask: such a request is not the gateway's own.
  if (isOfPeer(incoming) && isGateway(incoming.address)) return undefined;
  const presented = basicCredentials(headerOf(incoming, HEADER) ?? '');
  if (presented === undefined) return { refusal: refuse('not-a-gateway') };
  const { address } = incoming;
  const throttled = refuseThrottled(authority, ordinal, { ...presented, address });
  if (throttled !== undefined) return throttled;
  return whenKnown(clientOf(authority, presented.clientId), (client) => {
    const attempt = { client, presented, address, nowMs: authority.clock.wallMs() };
    const decision = authenticate(authority, environmentOf(authority, ordinal), attempt);
    if (isRefused(decision)) return decision;
    if (decision.client.resourceServer) return decision.client;
    return { refusal: refuse('not-a-gateway'), client: decision.client };
  });
}

/** Whether the caller is the socket's other end, and nobody in between spoke for it. */
function isOfPeer({ address, peer = '' }: Incoming): boolean {
  return address !== '' && (address === peer || address === canonicalAddress(peer));
}
