/** The rows of access tokens. A token is named in the body, never in the URL, which ends up in logs. */

import { documentOf } from '../../operations/document.ts';
import { inspectToken } from '../../operations/inspect-token.ts';
import { listTokenPage } from '../../operations/list-tokens.ts';
import { revokeToken } from '../../operations/revoke-token.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, row, shown } from '../route.ts';
import * as schema from '../schemas.ts';

const body = schema.strict({ token: schema.text('The access token.') });
const listed = schema.record({
  jti: Type.String(),
  standing: Type.String(),
  secret_id: Type.String(),
  scope: Type.String(),
  resource: Type.Optional(Type.String()),
  issued_at: schema.at,
  expires_at: schema.at,
  address: Type.String(),
});

export const TOKEN_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/clients/{client_id}/tokens',
    operation: 'token.list',
    permission: 'token:read',
    summary: 'List the tokens that a client was given within the last 24 hours, newest first.',
    about: 'client',
    params: { client_id: schema.clientId },
    response: schema.page(listed),
    pages: true,
    run: async ({ context, path, page }) => {
      const { tokens, next } = await listTokenPage(context, {
        clientId: path.client_id,
        after: page.after,
        limit: page.limit - 1,
      });
      return { is: 'page', items: documentOf(tokens) as readonly object[], next };
    },
  }),
  row({
    method: 'POST',
    path: '/tokens/inspect',
    operation: 'token.inspect',
    permission: 'token:inspect',
    summary: 'Tell what a token is and whether it is alive.',
    body,
    response: schema.record({ standing: Type.String() }),
    run: async ({ context, body: { token } }) => shown(await inspectToken(context, { token })),
  }),
  row({
    method: 'POST',
    path: '/tokens/revoke',
    operation: 'token.revoke',
    permission: 'token:revoke',
    summary: 'Kill one token, whoever holds it.',
    body,
    response: schema.change({ jti: Type.String(), client_id: schema.clientId }),
    run: async ({ context, body: { token } }) => {
      const { jti, clientId, ...done } = await revokeToken(context, { token });
      return changed(done, { jti, clientId });
    },
  }),
];
