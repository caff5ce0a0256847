/** The verifier for `node:http`: a guard to call before a handler does anything. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  ANSWER_HEADERS,
  bodyOf,
  type Needs,
  type Presented,
  type Verifier,
} from './create-verifier.ts';
import type { Identity } from './identity.ts';
import { identityOfPassed, letPass } from './passed.ts';

/** What is read of a request; those of HTTP/2 have it as well. */
export type Incoming = Pick<IncomingMessage, 'url' | 'rawHeaders'> & {
  readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
};

export type GuardOptions<Request = IncomingMessage> = Needs & {
  /**
   * Address of the caller, where a proxy stands in front: the header that your proxy sets. Left out it is the socket's own; what a
   * caller can write is never believed by itself.
   */
  readonly clientIp?: (request: Request) => string | undefined;
};

/** What a request shows to a verifier. */
export function presentedBy({ url = '', rawHeaders, socket }: Incoming): Presented {
  const mark = url.indexOf('?');
  return {
    // As they came: in `headers` Node keeps the first of two, and a request that a test injects may have nothing else.
    authorization: rawHeaders.filter(
      (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
    ),
    query: mark === -1 ? '' : url.slice(mark + 1),
    clientIp: socket.remoteAddress,
  };
}

/** A guard: who makes the request; undefined: it has been answered, so do nothing more. */
export function newGuard<Request extends IncomingMessage>(
  verifier: Pick<Verifier, 'check'>,
  options: GuardOptions<Request> = {},
): (request: Request, response: ServerResponse) => Promise<Identity | undefined> {
  const { clientIp } = options;
  return async (request, response) => {
    const presented = presentedBy(request);
    const verdict = await verifier.check(
      clientIp === undefined ? presented : { ...presented, clientIp: clientIp(request) },
      options,
    );
    if (verdict.ok) {
      letPass(request, verdict.identity);
      return verdict.identity;
    }
    const { wire } = verdict;
    const body = bodyOf(wire);
    const length = { 'Content-Length': Buffer.byteLength(body) };
    response.writeHead(wire.status, { ...wire.headers, ...ANSWER_HEADERS, ...length }).end(body);
    return undefined;
  };
}

/** Who makes a request that passed a guard. Throws for one that did not. */
export const requireIdentity: (request: IncomingMessage) => Identity = identityOfPassed;
