/** The guard as middleware of Hono, on any runtime that Hono runs on. Takes from Hono its types alone, and from Node nothing. */

import type { Context, MiddlewareHandler } from 'hono';
import type { Needs, Verifier } from './create-verifier.ts';
import type { Identity } from './identity.ts';
import { identityOfPassed, letPass } from './passed.ts';

export type GuardOptions = Needs & {
  /**
   * Address of the caller: what your runtime's `getConnInfo` tells, or the header that your proxy sets. Left out it is the socket's own
   * where `@hono/node-server` serves, and unknown elsewhere; what a caller can write is never believed by itself.
   */
  readonly clientIp?: (c: Context) => string | undefined;
};

/** For apps that guard with `app.use`, so that their handlers know `c.var.identity`: `new Hono<Guarded>()`. */
export type Guarded = { Variables: { readonly identity: Identity } };

/** Middleware; the handlers behind it have `c.var.identity`. */
export function newGuard(
  verifier: Pick<Verifier, 'verify'>,
  options: GuardOptions = {},
): MiddlewareHandler<Guarded> {
  const { clientIp = socketAddress, ...needs } = options;
  return async (c, next) => {
    const verdict = await verifier.verify(c.req.raw, { ...needs, clientIp: clientIp(c) });
    if (!verdict.ok) return verdict.response;
    letPass(c, verdict.identity);
    c.set('identity', verdict.identity);
    return next();
  };
}

/** Who makes a request that passed a guard. Throws for one that did not, where `c.var.identity` would be whatever somebody set. */
export const requireIdentity: (c: Context) => Identity = identityOfPassed;

/** `@hono/node-server` hands Node's request on in the environment, where no caller can write. */
function socketAddress(c: Context): string | undefined {
  const env = c.env as { readonly incoming?: { readonly socket?: { remoteAddress?: string } } };
  return env?.incoming?.socket?.remoteAddress;
}
