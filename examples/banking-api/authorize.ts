/** Decides whose request this is, or throws what to answer, in this API's own form of errors. Knows nothing of accounts. */

import type { IncomingMessage } from 'node:http';
import type { Identity, Verifier } from '@countersign/resource-server';
import { presentedBy } from '@countersign/resource-server/node';
import { failure, Refused } from './answer.ts';

export type Authorize = (request: IncomingMessage, scope: string) => Promise<Identity>;

/** Makes the check that stands before every route. */
export function makeAuthorize(verifier: Pick<Verifier, 'check'>): Authorize {
  return async (request, scope) => {
    const verdict = await verifier.check(presentedBy(request), { scope });
    if (verdict.ok) return verdict.identity;
    const { status, error, description, headers } = verdict.wire;
    // RFC 6750 §3.1: without a token the challenge names no error; the body, which is ours, does.
    throw new Refused(failure({ status, code: error ?? 'unauthorized', description, headers }));
  };
}
