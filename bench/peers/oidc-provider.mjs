/** node-oidc-provider with client credentials and introspection, on its own store in memory. */

import { Provider } from 'oidc-provider';
import { CLIENT_ID, CLIENT_SECRET, LIFETIME_SECONDS, ORIGIN, PORT, SCOPE } from './the-client.mjs';

const provider = new Provider(ORIGIN, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      scope: SCOPE,
    },
  ],
  scopes: [SCOPE],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: LIFETIME_SECONDS },
});
provider.listen(PORT, '127.0.0.1');
