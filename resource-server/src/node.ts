/** The verifier for `node:http` and what is built on its requests: a guard to call, and middleware of the form that Connect and Express take. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  ANSWER_HEADERS,
  bodyOf,
  type Needs,
  type Presented,
  type Verifier,
} from './create-verifier.ts';
import type { Identity } from './identity.ts';

export type GuardOptions = Needs & {
  /**
   * Address of the caller, where a proxy stands in front: the header that your proxy sets. Left out it is the socket's own; what a
   * caller can write is never believed by itself.
   */
  readonly clientIp?: (request: IncomingMessage) => string | undefined;
};

const identities = new WeakMap<IncomingMessage, Identity>();

/** What a `node:http` request shows to a verifier. */
export function presentedBy(request: IncomingMessage): Presented {
  const { url = '', headersDistinct, socket } = request;
  const mark = url.indexOf('?');
  return {
    // Node keeps only the first of two headers in `headers`.
    authorization: headersDistinct['authorization'] ?? [],
    query: mark === -1 ? '' : url.slice(mark + 1),
    clientIp: socket.remoteAddress,
  };
}

/** A guard: who makes the request; undefined: it has been answered, so do nothing more. */
export function newGuard(
  verifier: Verifier,
  options: GuardOptions = {},
): (request: IncomingMessage, response: ServerResponse) => Promise<Identity | undefined> {
  return async (request, response) => {
    const presented = presentedBy(request);
    const clientIp =
      options.clientIp === undefined ? presented.clientIp : options.clientIp(request);
    const verdict = await verifier.check({ ...presented, clientIp }, options);
    if (verdict.ok) {
      identities.set(request, verdict.identity);
      return verdict.identity;
    }
    const { wire } = verdict;
    response.writeHead(wire.status, { ...wire.headers, ...ANSWER_HEADERS }).end(bodyOf(wire));
    return undefined;
  };
}

/** The guard as middleware: `next` is called for a request that may go on, with the error if the guard itself failed. */
export function newMiddleware(
  verifier: Verifier,
  options: GuardOptions = {},
): (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void> {
  const guard = newGuard(verifier, options);
  return async (request, response, next) => {
    let identity: Identity | undefined;
    try {
      identity = await guard(request, response);
    } catch (error) {
      return next(error);
    }
    if (identity !== undefined) next();
  };
}

/** Who makes a request that passed a guard. Throws for one that did not: a route that is open by mistake then fails, and leaks nothing. */
export function requireIdentity(request: IncomingMessage): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new Error('no guard has let this request pass');
  return identity;
}
