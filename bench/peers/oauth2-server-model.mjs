/** The model of @node-oauth/oauth2-server in memory: one client, tokens in a bounded Map. */

import { CLIENT_ID, CLIENT_SECRET, SCOPE } from './the-client.mjs';

const client = { id: CLIENT_ID, grants: ['client_credentials'] };
const TOKENS_MAX = 1_000_000;
/** @type {Map<string, any>} */
const tokens = new Map();

export const MODEL = {
  /** @type {(id: string, secret: string | null) => any} */
  getClient: (id, secret) =>
    id === CLIENT_ID && (secret === null || secret === CLIENT_SECRET) ? client : undefined,
  getUserFromClient: () => ({ id: CLIENT_ID }),
  validateScope: () => [SCOPE],
  /** @type {(token: any, client: any, user: any) => any} */
  saveToken: (token, ofClient, user) => {
    const saved = { ...token, client: ofClient, user };
    if (tokens.size >= TOKENS_MAX) tokens.clear();
    tokens.set(token.accessToken, saved);
    return saved;
  },
  /** @type {(token: string) => any} */
  getAccessToken: (token) => tokens.get(token),
};
