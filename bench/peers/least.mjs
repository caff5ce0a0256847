/** The least that an honest server of opaque tokens can do on `node:http`: one HMAC, a random token, a Map. No log, limit or disk. */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  answer,
  CLIENT_ID,
  CLIENT_SECRET,
  LIFETIME_SECONDS,
  listen,
  readForm,
  SCOPE,
} from './the-client.mjs';

const pepper = randomBytes(32);
/** @type {(secret: string) => Buffer} */
const macOf = (secret) => createHmac('sha256', pepper).update(secret).digest();
const clients = new Map([[CLIENT_ID, macOf(CLIENT_SECRET)]]);
/** Many more than one run issues between two minutes, and still bounded. */
const TOKENS_MAX = 1_000_000;
/** @type {Map<string, { client: string, expires: number }>} */
const tokens = new Map();

/** @type {(form: Record<string, string>) => boolean} */
const isClient = ({ client_id = '', client_secret = '' }) => {
  const mac = macOf(client_secret);
  const known = clients.get(client_id);
  return known !== undefined && timingSafeEqual(mac, known);
};

/** @type {(token: string) => { client: string, expires: number } | undefined} */
const alive = (token) => {
  const found = tokens.get(token);
  return found !== undefined && found.expires > Date.now() ? found : undefined;
};

const issue = () => {
  if (tokens.size >= TOKENS_MAX) tokens.clear();
  const token = randomBytes(32).toString('base64url');
  tokens.set(token, { client: CLIENT_ID, expires: Date.now() + LIFETIME_SECONDS * 1_000 });
  return { access_token: token, token_type: 'Bearer', expires_in: LIFETIME_SECONDS, scope: SCOPE };
};

/** @type {(token: string) => object} */
const told = (token) => {
  const found = alive(token);
  if (found === undefined) return { active: false };
  const { client, expires } = found;
  return { active: true, client_id: client, scope: SCOPE, exp: Math.floor(expires / 1_000) };
};

listen(async (request, response) => {
  if (request.url === '/verify') {
    const [, token = ''] = (request.headers.authorization ?? '').split(' ');
    return answer(response, { status: alive(token) ? 200 : 401, body: {} });
  }
  const form = await readForm(request);
  if (!isClient(form)) return answer(response, { status: 401, body: { error: 'invalid_client' } });
  answer(response, { body: request.url === '/token' ? issue() : told(form['token'] ?? '') });
});
