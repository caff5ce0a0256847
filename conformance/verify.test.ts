/** Forward authentication for gateways, asked directly: what the configurations in examples/ stand on. */

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { type Authority, startAuthority } from './harness.ts';
import {
  type Client,
  declareResources,
  declareScopes,
  newClient,
  newProgram,
  tokenOf,
} from './onboarding.ts';

const API = 'https://api.bank.example';
const OTHER = 'https://other.bank.example';

let authority: Authority;
let program: string;
let client: Client;

before(async () => {
  authority = await startAuthority({ options: ['--gateway', '127.0.0.1/32'] });
  program = await newProgram(authority);
  await declareScopes(authority, ['accounts:read', 'accounts:write']);
  await declareResources(authority, [API, OTHER]);
  client = await newClient(authority, program, { scope: 'accounts:read', resources: [API, OTHER] });
});
after(() => authority.stop());

type Asked = {
  readonly query?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
};
type Told = { readonly status: number; readonly headers: Readonly<Record<string, unknown>> };

const ask = (token: string | undefined, { query = '', method = 'GET', headers = {} }: Asked = {}) =>
  new Promise<Told>((resolve, reject) => {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const url = `${authority.issuer()}/verify${query}`;
    request(url, { method, headers: { ...authorization, ...headers } }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers }),
      );
    })
      .on('error', reject)
      .end();
  });

const challengeOf = ({ headers }: Told): string => String(headers['www-authenticate']);

test('a good token is answered with who calls, by any method', async () => {
  const token = await tokenOf(client, { resource: API });
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE', 'PROPFIND']) {
    const told = await ask(token, { method });
    assert.equal(told.status, 200, method);
    assert.equal(told.headers['x-client-id'], client.client_id);
    assert.equal(told.headers['x-program-id'], program);
    assert.equal(told.headers['x-token-scope'], 'accounts:read');
    assert.ok(Number(told.headers['x-token-expires']) > Date.now() / 1000);
    assert.equal(told.headers['cache-control'], 'no-store');
  }
});

test('scope and resource are demanded as the query says, and a misspelt demand is no demand that passes', async () => {
  const token = await tokenOf(client, { resource: API });
  const status = async (query: string): Promise<number> => (await ask(token, { query })).status;
  assert.equal(await status('?scope=accounts%3Aread'), 200);
  assert.equal(await status(`?scope=accounts:read&resource=${encodeURIComponent(API)}`), 200);
  assert.equal(await status(`?resource=${encodeURIComponent(OTHER)}`), 401);
  assert.equal(await status('?scope=accounts:read+accounts:write'), 403);
  for (const wrong of [
    '?scopes=x',
    '?mode=other',
    '?scope=a&scope=b',
    '?scope=%ff',
    '?resource=a&resource=b',
  ]) {
    assert.equal(await status(wrong), 400, wrong);
  }
  const missing = await ask(token, { query: '?scope=accounts:write' });
  assert.match(challengeOf(missing), /error="insufficient_scope".*scope="accounts:write"/);
});

test('in the mode of nginx a refusal is 401 or 403, with its detail in the headers', async () => {
  const query = '?mode=nginx&scope=accounts:read';
  const inUrl = await ask('x', { query, headers: { 'X-Original-URI': '/a?access_token=y' } });
  assert.equal(inUrl.status, 401);
  assert.match(challengeOf(inUrl), /error="invalid_request"/);
  assert.equal((await ask(undefined, { query })).status, 401);
});

test('an expired token is told to be expired, a revoked one no more than not valid', async () => {
  const brief = await newClient(authority, program, { lifetimeSeconds: 1 });
  const token = await tokenOf(brief);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const expired = await ask(token);
  assert.equal(expired.status, 401);
  assert.match(challengeOf(expired), /error="invalid_token".*expired/);
  const dead = await tokenOf(client, { resource: API });
  await authority.cli('token', 'revoke', dead);
  const revoked = await ask(dead);
  assert.equal(revoked.status, 401);
  assert.doesNotMatch(challengeOf(revoked), /revoked|expired/);
});

test('a token that is held to its addresses is good from what the gateway says, and from nowhere else', async () => {
  const held = await newClient(authority, program);
  const where = ['--allow-ip', '127.0.0.1', '--verify-ip', 'on'];
  await authority.cli('client', 'update', held.client_id, ...where);
  const token = await tokenOf(held);
  const from = (address: string) => ask(token, { headers: { 'X-Real-IP': address } });
  assert.equal((await from('127.0.0.1')).status, 200);
  assert.equal((await from('198.51.100.7')).status, 401);
  assert.equal((await ask(token)).status, 401);
});

test('the reason of a refusal is found by its id', async () => {
  const told = await ask('token_test_nonsense');
  const { stdout } = await authority.command('explain', String(told.headers['x-request-id']));
  assert.match(stdout, /unknown-token/);
  assert.match(stdout, /verify/);
});
