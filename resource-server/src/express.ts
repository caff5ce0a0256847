/** The guard as Express takes it, and everything else that calls `(request, response, next)`. Knows Express by the form of its requests alone. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Verifier } from './create-verifier.ts';
import type { Identity } from './identity.ts';
import { type GuardOptions as NodeGuardOptions, newGuard as newNodeGuard } from './node.ts';

export { requireIdentity } from './node.ts';

/** A request of Express; `ip` is what its setting `trust proxy` makes of the headers. */
export type Request = IncomingMessage & { readonly ip?: string | undefined };
export type GuardOptions = NodeGuardOptions<Request>;

/** Middleware: the next handler is called for a request that may go on, and the error handler if the guard itself failed. */
export function newGuard(
  verifier: Pick<Verifier, 'check'>,
  options: GuardOptions = {},
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => Promise<void> {
  const guard = newNodeGuard(verifier, options);
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
