/** The guard as a hook of Fastify, and `request.identity`. Takes from Fastify its types alone. */

import type {
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
} from 'fastify';
import { ANSWER_HEADERS, bodyOf, type Verifier } from './create-verifier.ts';
import type { Identity } from './identity.ts';
import { type Incoming, type GuardOptions as NodeGuardOptions, presentedBy } from './node.ts';
import { identityOfPassed, letPass } from './passed.ts';

declare module 'fastify' {
  // biome-ignore lint/style/useConsistentTypeDefinitions: only an interface can be added to.
  interface FastifyRequest {
    /** Who makes a request that passed a guard; throws for one that did not. There with `app.register(withIdentity)`. */
    readonly identity: Identity;
  }
}

type RequestOn<Server extends RawServerBase> = FastifyRequest<RouteGenericInterface, Server>;
type ReplyOn<Server extends RawServerBase> = FastifyReply<RouteGenericInterface, Server>;

/** `request.ip` is what Fastify's option `trustProxy` makes of the headers. */
export type GuardOptions<Server extends RawServerBase = RawServerDefault> = NodeGuardOptions<
  RequestOn<Server>
>;

/**
 * An `onRequest` hook, so that no body is read for a caller who is refused: of a route, or of a whole plugin by
 * `addHook`. For HTTP/2 it is a `newGuard<Http2SecureServer>`.
 */
export function newGuard<Server extends RawServerBase = RawServerDefault>(
  verifier: Pick<Verifier, 'check'>,
  options: GuardOptions<Server> = {},
): (request: RequestOn<Server>, reply: ReplyOn<Server>) => Promise<unknown> {
  const { clientIp } = options;
  return async (request, reply) => {
    const presented = presentedBy(request.raw as Incoming);
    const verdict = await verifier.check(
      clientIp === undefined ? presented : { ...presented, clientIp: clientIp(request) },
      options,
    );
    if (verdict.ok) return letPass(request, verdict.identity);
    const { wire } = verdict;
    // A text is sent as it is, whatever schema the route has for its answers.
    return reply
      .code(wire.status)
      .headers({ ...wire.headers, ...ANSWER_HEADERS })
      .send(bodyOf(wire));
  };
}

/** Who makes a request that passed a guard. Throws for one that did not. */
export const requireIdentity: (request: FastifyRequest) => Identity = identityOfPassed;

/** A plugin that gives requests their `identity`, in the whole scope in which it is registered. */
export const withIdentity: FastifyPluginCallback = Object.assign(
  (app: Parameters<FastifyPluginCallback>[0], _options: object, done: () => void) => {
    app.decorateRequest('identity', {
      getter() {
        return identityOfPassed(this);
      },
    });
    done();
  },
  // Fastify's word for a plugin that is no scope of its own.
  { [Symbol.for('skip-override')]: true },
);
