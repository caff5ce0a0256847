/** better-auth with its OAuth provider, opaque tokens, in memory: /token and introspection. Its rate limit is off. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { CLIENT_ID, CLIENT_SECRET, ORIGIN, PORT, SCOPE } from './the-client.mjs';

/** @type {Record<string, any[]>} */
const tables = {
  user: [],
  session: [],
  account: [],
  verification: [],
  jwks: [],
  oauthAccessToken: [],
  oauthRefreshToken: [],
  oauthConsent: [],
  oauthClientAssertion: [],
  oauthClient: [
    {
      id: '1',
      clientId: CLIENT_ID,
      clientSecret: createHash('sha256').update(CLIENT_SECRET).digest('base64url'),
      disabled: false,
      scopes: [SCOPE],
      clientCredentialsScopes: [SCOPE],
      grantTypes: ['client_credentials'],
      tokenEndpointAuthMethod: 'client_secret_post',
      redirectUris: [],
      public: false,
      createdAt: new Date(),
      updatedAt: new Date(),
    },
  ],
};
const auth = betterAuth({
  baseURL: ORIGIN,
  secret: CLIENT_SECRET,
  database: memoryAdapter(tables),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      scopes: [SCOPE],
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
});
createServer(toNodeHandler(auth)).listen(PORT, '127.0.0.1');
