/**
 * GET /revocations: the changes after which a verifier must forget answers, as server-sent events (WHATWG HTML §9.2), to resource servers
 * of the environment alone. POST /revocations/ping: its numbered pings, which heartbeats in the stream answer.
 *
 * | refused because                                  | on the wire                            |
 * |--------------------------------------------------|----------------------------------------|
 * | no credentials of a resource server              | 403, or 401 as at /token               |
 * | a hundred subscribers already, or this node stops| 503 with Retry-After                   |
 * | this node cannot decide                          | 503 with Retry-After                   |
 * | ping: not a form, a number missing               | 400 invalid_request                    |
 * | ping: no such subscription at this node          | 404, to open another                   |
 */

import { isRefusal, refuse } from '@countersign/protocol';
import { answering, type Decision, isRefused } from './answering.ts';
import type { Authority } from './context.ts';
import { type Answer, headerOf, type Incoming } from './exchange.ts';
import { readForm } from './form.ts';
import { gatewayOf } from './gateway.ts';
import { whenKnown } from './when-known.ts';

type Environment = { readonly ordinal: number; readonly name: string };
type Handler = (incoming: Incoming) => Answer | Promise<Answer>;

/** The handler of one environment's stream. */
export function revocationsEndpoint(authority: Authority, environment: Environment): Handler {
  return forResourceServers(authority, environment, async (incoming, client) => {
    const { subscriptions, subscriberRow, follower } = authority;
    if (!subscriptions.hasRoom()) return refuse('overloaded');
    await subscriberRow.ensure();
    if (!follower.mayDecide()) return refuse('lease-lost');
    if (!subscriptions.hasRoom()) return refuse('overloaded');
    return {
      status: 200,
      headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
      body: '',
      stream: (sink) =>
        subscriptions.open({
          ...{ environment: environment.ordinal, client, sink },
          heard: headerOf(incoming, 'last-event-id'),
        }),
    };
  });
}

/** The handler of the pings of its subscribers. */
export function pingEndpoint(authority: Authority, environment: Environment): Handler {
  return forResourceServers(authority, environment, (incoming, client) => {
    const form = readForm(authority, incoming);
    if (isRefusal(form)) return form;
    const subscription = form.get('subscription');
    const [number, confirmed] = [numberOf(form.get('ping')), numberOf(form.get('confirmed'))];
    if (subscription === undefined)
      return refuse('missing-parameter', { parameter: 'subscription' });
    if (number === undefined) return refuse('missing-parameter', { parameter: 'ping' });
    if (confirmed === undefined) return refuse('missing-parameter', { parameter: 'confirmed' });
    const isHeard = authority.subscriptions.ping({ subscription, client, number, confirmed });
    return isHeard ? { status: 204, body: '' } : NO_SUBSCRIPTION;
  });
}

const NO_SUBSCRIPTION: Answer = {
  status: 404,
  body: JSON.stringify({
    error: 'invalid_request',
    error_description: 'This node has no such subscription. Open another.',
  }),
};

function forResourceServers(
  authority: Authority,
  environment: Environment,
  decide: (incoming: Incoming, client: number) => Decision | Promise<Decision>,
): Handler {
  // No address stands for a resource server here: what a stream tells is for one that has proven who it is.
  const isGateway = (): boolean => false;
  return answering(authority, { endpoint: 'revocations', environment }, (incoming) =>
    whenKnown(gatewayOf(authority, environment.ordinal, { incoming, isGateway }), (client) => {
      if (client === undefined) return refuse('not-a-gateway');
      return isRefused(client) ? client : decide(incoming, client.ordinal);
    }),
  );
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
