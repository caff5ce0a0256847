/** ts-oauth2-server (@jmondi/oauth2-server) on bare `node:http`, in memory: a JWT (HS256) a token, and introspection. */

import { randomBytes } from 'node:crypto';
import { AuthorizationServer, DateInterval } from '@jmondi/oauth2-server';
import { answer, CLIENT_ID, CLIENT_SECRET, listen, readForm, SCOPE } from './the-client.mjs';

const scopes = [{ name: SCOPE }];
/** @type {import('@jmondi/oauth2-server').OAuthClient} */
const client = {
  id: CLIENT_ID,
  name: 'Bench',
  secret: CLIENT_SECRET,
  redirectUris: [],
  allowedGrants: ['client_credentials'],
  scopes,
};
const TOKENS_MAX = 1_000_000;
/** @type {Map<string, any>} */
const tokens = new Map();
const lifetime = new DateInterval('1h');

const server = new AuthorizationServer(
  {
    getByIdentifier: async () => client,
    isClientValid: async (_, { id }, secret) => id === CLIENT_ID && secret === CLIENT_SECRET,
  },
  /** @type {any} */ ({
    issueToken: async () => ({
      accessToken: randomBytes(24).toString('base64url'),
      accessTokenExpiresAt: lifetime.getEndDate(),
      client,
      scopes,
    }),
    /** @type {(token: any) => Promise<void>} */
    persist: (token) => {
      if (tokens.size >= TOKENS_MAX) tokens.clear();
      tokens.set(token.accessToken, token);
      return Promise.resolve();
    },
    /** @type {(token: string) => Promise<any>} */
    getByAccessToken: async (token) => tokens.get(token),
  }),
  { getAllByIdentifiers: async () => scopes, finalize: async () => scopes },
  randomBytes(32).toString('hex'),
  { authenticateIntrospect: true },
);
server.enableGrantType('client_credentials', lifetime);

listen(async (request, response) => {
  const asked = /** @type {any} */ ({
    headers: request.headers,
    query: {},
    body: await readForm(request),
  });
  const told =
    request.url === '/token'
      ? await server.respondToAccessTokenRequest(asked)
      : await server.introspect(asked);
  answer(response, /** @type {any} */ (told));
});
