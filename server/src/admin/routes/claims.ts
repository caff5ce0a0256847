/** The rows of claims. They are made by the rows that create clients and secrets. */

import { type ListedClaim, listClaims, showClaim } from '../../operations/read-claims.ts';
import { revokeClaim } from '../../operations/revoke-claim.ts';
import { ChangeRefused } from '../../ports/store.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, type Call, changed, row, shown, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';

const ofClient = { client_id: schema.clientId };
const ofClaim = { ...ofClient, claim_id: schema.claimId };
const claim = schema.record({
  claim_id: schema.claimId,
  client_id: schema.clientId,
  state: Type.String({ description: 'open, used, stopped, revoked, locked or expired.' }),
  purpose: Type.String(),
  needs_passphrase: Type.Boolean(),
  failures: Type.Integer({ description: 'Wrong passphrases so far; the fifth ends the claim.' }),
  created_at: schema.at,
  created_by: Type.String(),
  expires_at: schema.at,
  used_at: Type.Optional(schema.at),
  used_from: Type.Optional(Type.String()),
  secret_id: Type.Optional(schema.secretId),
  stopped_at: Type.Optional(schema.at),
  revoked_at: Type.Optional(schema.at),
});

export const CLAIM_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/clients/{client_id}/claims',
    operation: 'claim.list',
    permission: 'secret:read',
    summary: 'List the claims of a client, and what became of them.',
    about: 'client',
    params: ofClient,
    response: schema.page(claim),
    run: async ({ context, path }) =>
      wholeList(await listClaims(context, { clientId: path.client_id })),
  }),
  row({
    method: 'GET',
    path: '/clients/{client_id}/claims/{claim_id}',
    operation: 'claim.show',
    permission: 'secret:read',
    summary: 'Show a claim: whether it was used, when and from where.',
    about: 'client',
    params: ofClaim,
    response: claim,
    run: async ({ context, path }) => shown(await claimOf(context, path)),
  }),
  row({
    method: 'POST',
    path: '/clients/{client_id}/claims/{claim_id}/revoke',
    operation: 'claim.revoke',
    permission: 'secret:revoke',
    summary: 'End a claim that was not used yet.',
    about: 'client',
    params: ofClaim,
    response: schema.change({ claim_id: schema.claimId }),
    run: async ({ context, path }) => {
      const { claimId } = await claimOf(context, path);
      return changed(await revokeClaim(context, { claimId }), { claimId });
    },
  }),
];

/** A claim of this very client: the path says whose it is, and that was looked at. */
async function claimOf(
  context: Call['context'],
  path: { readonly client_id: string; readonly claim_id: string },
): Promise<ListedClaim> {
  const found = await showClaim(context, { claimId: path.claim_id });
  if (found.clientId === path.client_id) return found;
  throw new ChangeRefused('not-found', `client ${path.client_id} has no such claim`);
}
