/** Decides whose request this is, or throws what to answer, in this API's own form of problems. Knows nothing of accounts. */

import type { IncomingMessage } from 'node:http';
import type { Identity, Verifier } from '@countersign/resource-server';
import { presentedBy } from '@countersign/resource-server/node';
import { type ProblemName, Refused } from './answer.ts';

export type Authorize = (request: IncomingMessage, scope: string) => Promise<Identity>;

/** What a resource server refuses by has a code of RFC 6750, or none where there is no token (§3.1). */
const NAMES: Readonly<Record<string, ProblemName>> = {
  invalid_request: 'invalid-request',
  invalid_token: 'invalid-token',
  insufficient_scope: 'insufficient-scope',
  temporarily_unavailable: 'temporarily-unavailable',
};

/** Makes the check that stands before every route that has a scope. */
export function makeAuthorize(verifier: Pick<Verifier, 'check'>): Authorize {
  return async (request, scope) => {
    const verdict = await verifier.check(presentedBy(request), { scope });
    if (verdict.ok) return verdict.identity;
    const { error, description, headers } = verdict.wire;
    throw new Refused(NAMES[error ?? ''] ?? 'no-token', description, { error, headers });
  };
}
