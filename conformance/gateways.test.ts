/** Who may ask `/verify` about other people's tokens, and what anybody else is told: nothing. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshAddress } from './exchange.ts';
import { challengeOf, verify, verifyToken } from './forward-auth.ts';
import { type Authority, startAuthority } from './harness.ts';
import {
  askToken,
  type Client,
  declareResources,
  newClient,
  newProgram,
  tokenOf,
} from './onboarding.ts';
import type { Reply } from './reply.ts';

const API = 'https://api.bank.example';
const OTHER = 'https://other.bank.example';

/** Credentials of a gateway in its header. */
const lineOf = ({ client_id, client_secret }: Client): readonly string[] => [
  'X-Gateway-Authorization',
  `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
];
const wrong = (client: Client): Client => ({
  ...client,
  client_secret: `${client.client_secret}x`,
});

let authority: Authority;
let proxied: Authority;
let program: string;
let gateway: Client;
let partner: Client;
let token: string;

before(async () => {
  authority = await startAuthority();
  // One address for both: a proxy that passes strangers on, and a gateway beside it.
  const here = ['--gateway', '127.0.0.1', '--trusted-proxy', '127.0.0.1'];
  proxied = await startAuthority({ options: here });
  program = await newProgram(authority);
  [gateway, partner] = await Promise.all([
    newClient(authority, program, { isResourceServer: true }),
    newClient(authority, program),
  ]);
  token = await tokenOf(partner);
});
after(() => Promise.all([authority.stop(), proxied.stop()]));

function assertNothingTold(reply: Reply, about: string): void {
  assert.equal(reply.status, 403, `${about}: ${reply.body}`);
  assert.equal(challengeOf(reply), undefined, about);
  for (const name of Object.keys(reply.headers))
    assert.doesNotMatch(name, /^x-(client|program|token)-/);
  assert.ok(!JSON.stringify(reply).includes(partner.client_id), about);
}

test('B-20: an untrusted peer learns nothing of any token, whatever headers it sends', async () => {
  const forged = [
    ...['X-Forwarded-For', '127.0.0.1', 'X-Real-IP', '127.0.0.1', 'Forwarded', 'for=127.0.0.1'],
    ...['X-Forwarded-Uri', '/v1/accounts', 'X-Original-URI', '/health', 'X-Original-Method', 'GET'],
    ...['X-Forwarded-Host', '127.0.0.1', 'X-Forwarded-Proto', 'https', 'X-Client-Id'],
    ...[gateway.client_id, 'X-Gateway', 'true', 'User-Agent', 'nginx'],
  ];
  const dead = `${token.slice(0, -2)}AA`;
  const told = async (text: string): Promise<unknown> => {
    const reply = await verifyToken(authority, text, { lines: forged });
    assertNothingTold(reply, text);
    const { 'x-request-id': _id, date: _date, ...headers } = reply.headers;
    return { headers, body: reply.body };
  };
  assert.deepEqual(await told(token), await told(dead), 'a live one as a dead one');
  assert.deepEqual(await told(token), await told('x'));
  assertNothingTold(await verify(authority, { lines: forged }), 'none');
});

test('B-20: a gateway is whoever has the secret of a resource server; a partner, a wrong secret and two headers are none', async () => {
  const asks = (...lines: readonly string[]): Promise<Reply> =>
    verifyToken(authority, token, { lines, from: freshAddress() });
  const reply = await asks(...lineOf(gateway));
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['x-client-id'], partner.client_id);
  const pair = `${gateway.client_id}:${gateway.client_secret}`;
  const elsewhere = await newClient(authority, program, {
    environment: 'production',
    isResourceServer: true,
  });
  for (const lines of [
    lineOf(wrong(gateway)),
    lineOf({ ...gateway, client_id: 'client_test_AAAAAAAAAAAAAAAA' }),
    lineOf(partner),
    lineOf(elsewhere),
    [...lineOf(gateway), ...lineOf(gateway)],
    [...lineOf(wrong(gateway)), ...lineOf(gateway)],
    ['X-Gateway-Authorization', `Basic ${pair}`],
    ['X-Gateway-Authorization', `Bearer ${gateway.client_secret}`],
    ['X_Gateway_Authorization', lineOf(gateway)[1] ?? ''],
    ['X-Gateway-Authorization', ''],
    ['Proxy-Authorization', lineOf(gateway)[1] ?? ''],
  ]) {
    assertNothingTold(await asks(...lines), lines.join(' '));
  }
  // In the caller's own header they are the caller's.
  const own = ['Authorization', lineOf(gateway)[1] ?? ''];
  assertNothingTold(await verify(authority, { lines: own }), 'Authorization');
});

test('a gateway that is suspended or whose secret is revoked is none from then on', async () => {
  const asks = async (which: Client): Promise<number> =>
    (await verifyToken(authority, token, { lines: lineOf(which) })).status;
  const rotated = await newClient(authority, program, { isResourceServer: true });
  assert.equal(await asks(rotated), 200);
  const made = await authority.cli('secret', 'rotate', rotated.client_id);
  const renewed = { ...rotated, client_secret: String(made['client_secret']) };
  assert.deepEqual([await asks(rotated), await asks(renewed)], [200, 200]);
  await authority.cli('secret', 'revoke', rotated.secret_id);
  assert.deepEqual([await asks(rotated), await asks(renewed)], [403, 200]);
  await authority.cli('client', 'suspend', rotated.client_id, '--reason', 'leak');
  assert.equal(await asks(renewed), 403);
  assert.equal(await asks(gateway), 200);
});

test('a gateway that is bound to a resource hears of tokens for that one alone', async () => {
  await declareResources(authority, [API, OTHER]);
  const [ofApi, client] = await Promise.all([
    newClient(authority, program, { isResourceServer: true, resources: [API] }),
    newClient(authority, program, { resources: [API, OTHER] }),
  ]);
  const status = async (resource: string): Promise<number> => {
    const bound = await tokenOf(client, { resource });
    return (await verifyToken(authority, bound, { lines: lineOf(ofApi) })).status;
  };
  assert.deepEqual([await status(API), await status(OTHER)], [200, 401]);
  assert.equal((await verifyToken(authority, token, { lines: lineOf(ofApi) })).status, 401);
});

test('who guesses a gateway’s secret is slowed down, and the gateway is not', {
  skip: process.platform === 'linux' ? false : 'needs a second loopback address',
}, async () => {
  const from = freshAddress();
  const guess = (query: string): Promise<Reply> =>
    verifyToken(authority, token, { lines: lineOf(wrong(gateway)), from, query });
  let reply = await guess('');
  for (let tries = 1; reply.status !== 429; tries += 1) {
    assert.ok(tries < 100, 'never slowed down');
    assertNothingTold(reply, String(tries));
    reply = await guess('');
  }
  assert.ok(Number(reply.headers['retry-after']) > 0);
  const forNginx = await guess('?mode=nginx&scope=');
  assertNothingTold(forNginx, '429 in the mode of nginx');
  assert.ok(Number(forNginx.headers['retry-after']) > 0, 'the detail in headers');
  const good = await verifyToken(authority, token, { lines: lineOf(gateway) });
  assert.equal(good.status, 200, 'from its own address it asks as ever');
});

test('in the mode of nginx a question that is no good is 403 without a challenge, and a call that is none 401 with one', async () => {
  const lines = lineOf(gateway);
  for (const query of [
    '?mode=nginx&scopes=x',
    '?scope=%22&mode=nginx',
    '?mode=nginx&scope=a&scope=b',
  ]) {
    assertNothingTold(await verifyToken(authority, token, { query, lines }), query);
  }
  const twice = [...lines, 'Authorization', `Bearer ${token}`];
  const two = await verifyToken(authority, token, { query: '?mode=nginx', lines: twice });
  assert.equal(two.status, 401);
  assert.equal(challengeOf(two)?.['error'], 'invalid_request');
});

test('B-20: through a declared proxy a request is the stranger’s, even from the address of a gateway, unless it has credentials', async () => {
  const id = await newProgram(proxied);
  const [server, client] = await Promise.all([
    newClient(proxied, id, { isResourceServer: true }),
    newClient(proxied, id),
  ]);
  const https = ['X-Forwarded-Proto', 'https'];
  const granted = await askToken(client, {}, { headers: { 'X-Forwarded-Proto': 'https' } });
  const theirs = String(granted.json()['access_token']);
  const asks = (...lines: readonly string[]): Promise<Reply> =>
    verifyToken(proxied, theirs, { lines: [...https, ...lines] });
  assert.equal((await asks()).status, 200, 'its own');
  for (const hops of ['198.51.100.7', '127.0.0.1, 198.51.100.7', '::1', '127.0.0.2']) {
    const reply = await asks('X-Forwarded-For', hops);
    assert.equal(reply.status, 403, hops);
    assert.equal(reply.headers['x-client-id'], undefined);
  }
  assert.equal((await asks('X-Forwarded-For', '198.51.100.7', ...lineOf(server))).status, 200);
});
