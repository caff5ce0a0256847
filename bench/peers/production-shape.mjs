/**
 * What is in production in many places: @node-oauth/oauth2-server on bare `node:http` over PostgreSQL, one SELECT and one INSERT a token;
 * the secret compared in constant time, or by bcrypt when asked to. /verify is one SELECT.
 */

import { timingSafeEqual } from 'node:crypto';
import OAuth2Server from '@node-oauth/oauth2-server';
import bcrypt from 'bcrypt';
import pg from 'pg';
import { answer, CLIENT_ID, CLIENT_SECRET, listen, readForm, SCOPE } from './the-client.mjs';

const isBcrypt = process.argv[4] === 'bcrypt';
const BCRYPT_COST = 10;
const POOL_MAX = 32;

const pool = new pg.Pool({ connectionString: process.argv[3], max: POOL_MAX });
await pool.query(`
  CREATE TABLE IF NOT EXISTS clients (client_id text PRIMARY KEY, secret text NOT NULL, grants text[] NOT NULL);
  CREATE TABLE IF NOT EXISTS tokens (token text PRIMARY KEY, client_id text NOT NULL, scope text NOT NULL, expires_at timestamptz NOT NULL)`);
await pool.query(
  "INSERT INTO clients VALUES ($1, $2, '{client_credentials}') ON CONFLICT DO NOTHING",
  [CLIENT_ID, isBcrypt ? await bcrypt.hash(CLIENT_SECRET, BCRYPT_COST) : CLIENT_SECRET],
);

/** @type {(presented: string, stored: string) => boolean | Promise<boolean>} */
const isSame = (presented, stored) => {
  if (isBcrypt) return bcrypt.compare(presented, stored);
  const [one, other] = [Buffer.from(presented), Buffer.from(stored)];
  return one.length === other.length && timingSafeEqual(one, other);
};

const model = {
  /** @type {(id: string, secret: string) => Promise<any>} */
  getClient: async (id, secret) => {
    const { rows } = await pool.query({
      name: 'client',
      text: 'SELECT client_id, secret, grants FROM clients WHERE client_id = $1',
      values: [id],
    });
    const [row] = rows;
    if (row === undefined || !(await isSame(secret, row.secret))) return undefined;
    return { id: row.client_id, grants: row.grants };
  },
  getUserFromClient: () => ({ id: CLIENT_ID }),
  validateScope: () => [SCOPE],
  /** @type {(token: any, client: any, user: any) => Promise<any>} */
  saveToken: async (token, client, user) => {
    await pool.query({
      name: 'token',
      text: 'INSERT INTO tokens VALUES ($1, $2, $3, $4)',
      values: [token.accessToken, client.id, SCOPE, token.accessTokenExpiresAt],
    });
    return { ...token, client, user };
  },
  /** @type {(token: string) => Promise<any>} */
  getAccessToken: async (token) => {
    const { rows } = await pool.query({
      name: 'of',
      text: 'SELECT token, client_id, scope, expires_at FROM tokens WHERE token = $1',
      values: [token],
    });
    const [row] = rows;
    if (row === undefined) return undefined;
    const client = { id: row.client_id };
    return { accessToken: token, accessTokenExpiresAt: row.expires_at, client, user: client };
  },
};
const server = new OAuth2Server(/** @type {any} */ ({ model }));

listen(async (request, response) => {
  const { headers, method } = request;
  const isToken = request.url === '/token';
  const body = isToken ? await readForm(request) : {};
  const asked = new OAuth2Server.Request(/** @type {any} */ ({ headers, method, query: {}, body }));
  const told = new OAuth2Server.Response({ headers: {} });
  if (!isToken) {
    await server.authenticate(asked, told);
    return answer(response, { body: {} });
  }
  await server.token(asked, told);
  answer(response, /** @type {any} */ (told));
});
