/** A bearer token as forward authentication takes it, and every spelling in which it does not (RFC 6750 §2 and §3). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { challengeOf, verify, verifyToken } from './forward-auth.ts';
import { type Authority, startAuthority } from './harness.ts';
import {
  type Client,
  declareResources,
  declareScopes,
  introspect,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';
import type { Reply } from './reply.ts';

const API = 'https://api.bank.example';
const OTHER = 'https://other.bank.example';

let authority: Authority;
let program: string;
let client: Client;
let server: Client;
let token: string;
let bound: string;
let dead: string;
let ofProduction: string;

before(async () => {
  authority = await startAuthority({ options: ['--gateway', '127.0.0.1/32'] });
  program = await newProgram(authority);
  await declareScopes(authority, ['accounts:read', 'accounts:write']);
  await declareResources(authority, [API, OTHER]);
  const scope = 'accounts:read';
  const [one, atResource, live, reader] = await Promise.all([
    newClient(authority, program, { scope }),
    newClient(authority, program, { scope, resources: [API] }),
    newClient(authority, program, { environment: 'production' }),
    newClient(authority, program, { isResourceServer: true }),
  ]);
  [client, server] = [one, reader];
  token = await tokenOf(client);
  bound = await tokenOf(atResource);
  dead = await tokenOf(client);
  await revoke(client, dead);
  ofProduction = await tokenOf(live);
});
after(() => authority.stop());

const IDENTITY = ['x-client-id', 'x-program-id', 'x-token-scope', 'x-token-id', 'x-token-expires'];

/** Fails unless nobody's name stands in the answer. */
function assertNobody({ status, headers }: Reply, about: string): void {
  assert.notEqual(status, 200, about);
  for (const name of IDENTITY) assert.equal(headers[name], undefined, `${about}: ${name}`);
}

const withLine = (value: string): Promise<Reply> =>
  verify(authority, { lines: ['Authorization', value] });

test('B-01, B-28, B-30: a live token is answered with who calls, for no cache and no other origin', async () => {
  const reply = await verifyToken(authority, token, { lines: ['Origin', 'https://evil.example'] });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['x-client-id'], client.client_id);
  assert.equal(reply.headers['x-program-id'], program);
  assert.equal(reply.headers['x-token-scope'], 'accounts:read');
  const known = (await introspect(server, token)).json();
  assert.equal(reply.headers['x-token-id'], known['jti']);
  assert.equal(reply.headers['x-token-expires'], String(known['exp']));
  assert.equal(reply.headers['cache-control'], 'no-store');
  assert.equal(reply.headers['vary'], undefined, 'nothing that would make it cacheable');
});

test('B-02: the scheme has no case', async () => {
  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
    assert.equal((await withLine(`${scheme} ${token}`)).status, 200, scheme);
  }
});

test('B-03, B-04: without a token, or with another scheme, the challenge names the realm and no error', async () => {
  const bearerless = [
    undefined,
    'Basic eDp5',
    'Digest username="x"',
    'Negotiate YII=',
    'Bearerx a',
  ];
  for (const value of bearerless) {
    const reply = value === undefined ? await verify(authority) : await withLine(value);
    assert.equal(reply.status, 401, value ?? 'none');
    assert.deepEqual(challengeOf(reply), { realm: authority.issuer() }, value ?? 'none');
  }
});

test('B-05, B-13: no other spelling of a token is one', async () => {
  const malformed = [
    'Bearer',
    'Bearer ',
    `Bearer  ${token}`,
    `Bearer\t${token}`,
    `Bearer,${token}`,
    `Bearer:${token}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token},${token}`,
    `Bearer ${token},`,
    `Bearer ${token};x`,
    `Bearer "${token}"`,
    `Bearer <${token}>`,
    `Bearer token=${token}`,
    `Bearer ${token}\u00e9`,
    `Bearer ${encodeURIComponent(`${token}=`)}`,
    `"Bearer" ${token}`,
    `Token ${token}`,
    token,
  ];
  for (const value of malformed) {
    const reply = await withLine(value);
    assertNobody(reply, value);
    assert.equal(reply.status, 401, value);
    const error = challengeOf(reply)?.['error'];
    assert.ok(error === undefined || error === 'invalid_token', value);
  }
  // HTTP itself takes the space around a value away.
  assert.equal((await withLine(`Bearer ${token} `)).status, 200);
});

test('B-06: revoked, random and of another resource are one answer, to the byte', async () => {
  const made = `token_test_${'A'.repeat(token.length - 'token_test_'.length)}`;
  const told = (reply: Reply): unknown => {
    const { 'x-request-id': _id, date: _date, ...headers } = reply.headers;
    return { status: reply.status, headers, body: reply.body };
  };
  const query = `?resource=${OTHER}`;
  const revoked = await verifyToken(authority, dead, { query });
  assert.equal(revoked.status, 401);
  assert.equal(challengeOf(revoked)?.['error'], 'invalid_token');
  for (const other of [made, bound, 'x']) {
    assert.deepEqual(told(await verifyToken(authority, other, { query })), told(revoked), other);
  }
});

test('B-07: a missing scope is 403 and named', async () => {
  const query = '?scope=accounts:read%20accounts:write';
  const reply = await verifyToken(authority, token, { query });
  assert.equal(reply.status, 403);
  const challenge = challengeOf(reply);
  assert.equal(challenge?.['error'], 'insufficient_scope');
  assert.equal(challenge?.['scope'], 'accounts:read accounts:write');
  assertNobody(reply, 'a missing scope');
});

test('B-08: a token is good at its own resource and at no other', async () => {
  const at = (which: string, resource: string) =>
    verifyToken(authority, which, { query: `?resource=${encodeURIComponent(resource)}` });
  assert.equal((await at(bound, API)).status, 200);
  for (const [which, resource] of [
    [bound, OTHER],
    [bound, `${API}/`],
    [bound, authority.issuer()],
    [token, API],
  ] as const) {
    const reply = await at(which, resource);
    assert.equal(reply.status, 401, resource);
    assert.equal(challengeOf(reply)?.['error'], 'invalid_token');
    assertNobody(reply, resource);
  }
});

test('B-09, B-11: a token in the URL of the call is refused, beside a good one too, whichever header tells the URL', async () => {
  for (const name of ['X-Original-URI', 'X-Forwarded-Uri']) {
    for (const parameter of ['access_token', 'access%5Ftoken']) {
      const exposed = await tokenOf(client);
      const lines = [name, `/v1/accounts?a=1&${parameter}=${exposed}`];
      const alone = await verify(authority, { lines });
      assert.equal(alone.status, 400, parameter);
      const beside = await verifyToken(authority, token, { lines });
      assert.equal(beside.status, 400, parameter);
      assert.equal(challengeOf(beside)?.['error'], 'invalid_request');
      assertNobody(beside, parameter);
      assert.ok(!authority.written().includes(exposed), 'and logged nowhere');
    }
  }
});

test('B-09: a caller who sends the header of another gateway hides no token by it', async () => {
  const called = `/v1/accounts?access_token=${await tokenOf(client)}`;
  for (const lines of [
    ['X-Original-URI', '/v1/accounts', 'X-Forwarded-Uri', called],
    ['X-Forwarded-Uri', '/v1/accounts', 'X-Original-URI', called],
    ['X-Original-URI', '/v1/accounts', 'X-Original-URI', called],
  ]) {
    assert.equal((await verifyToken(authority, token, { lines })).status, 400, lines.join(' '));
  }
});

test('B-09: a token in the query of the question itself is no question', async () => {
  const reply = await verify(authority, { query: `?access_token=${token}` });
  assert.equal(reply.status, 400);
  assertNobody(reply, 'access_token');
});

test('B-10, B-16: neither a body nor a cookie carries a token', async () => {
  const lines = ['Content-Type', 'application/x-www-form-urlencoded'];
  const inBody = { method: 'POST', lines, body: `access_token=${token}` };
  assert.equal((await verify(authority, inBody)).status, 401);
  for (const cookie of [`access_token=${token}`, `Authorization=Bearer ${token}`]) {
    assert.equal((await verify(authority, { lines: ['Cookie', cookie] })).status, 401, cookie);
  }
  const proxy = ['Proxy-Authorization', `Bearer ${token}`];
  assert.equal((await verify(authority, { lines: proxy })).status, 401);
});

test('B-12: two Authorization headers are refused, the same or not, in any order and case', async () => {
  const good = `Bearer ${token}`;
  for (const [first, second] of [
    [good, good],
    [good, `Bearer ${dead}`],
    ['Basic eDp5', good],
    [good, ''],
  ] as const) {
    const lines = ['Authorization', first, 'AUTHORIZATION', second];
    const reply = await verify(authority, { lines });
    assert.equal(reply.status, 400, second);
    assert.equal(challengeOf(reply)?.['error'], 'invalid_request');
    assertNobody(reply, second);
  }
});

test('B-14, B-15: whatever the call and the question hold, the challenge is one and well-formed', async () => {
  const odd = ['a"b', 'a\\b', 'a%0D%0ASet-Cookie:%20x', '%22,error=%22x', 'a%00', '%C3%A9'];
  for (const text of odd) {
    const reply = await verifyToken(authority, token, { query: `?scope=${text}` });
    assertNobody(reply, text);
    assert.equal(reply.headers['set-cookie'], undefined, text);
    const called = ['X-Original-URI', `/a?access_token=${text}`, 'X-Real-IP', text];
    assertNobody(await verifyToken(authority, dead, { lines: called }), text);
  }
});

test('B-17: an Authorization header beyond the limit is refused, and one below it costs no more for what it holds', async () => {
  for (const length of [16_384, 1_048_576]) {
    const huge = rawRequest('GET /sandbox/verify', [
      `Host: 127.0.0.1:${authority.port}`,
      `Authorization: Bearer ${'a'.repeat(length)}`,
    ]);
    const replies = await rawExchange(authority.port, huge);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [431],
    );
  }
  const durationMs = async (unit: string): Promise<number> => {
    const value = `Bearer ${unit.repeat(14_000 / unit.length)}x`;
    const startedMs = performance.now();
    for (let n = 0; n < 20; n += 1) assert.equal((await withLine(value)).status, 401);
    return performance.now() - startedMs;
  };
  const plainMs = await durationMs('a');
  for (const unit of ['.', ',', ' ', '=', '~=', 'Bearer ']) {
    const hostileMs = await durationMs(unit);
    assert.ok(hostileMs < 20 * plainMs, `${unit}: ${hostileMs} ms beside ${plainMs} ms`);
  }
});

test('B-18: neither a part of a token nor more than it, in another case or by a pattern', async () => {
  const sealed = token.slice('token_test_'.length);
  const swapped = token.replace(/[a-z]/i, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
  for (const text of [
    token.slice(0, -1),
    token.slice(0, 40),
    `${token}a`,
    `${token}=`,
    `${token}==`,
    `token_test_${swapped.slice('token_test_'.length)}`.toLowerCase(),
    swapped,
    token.toUpperCase(),
    sealed,
    `token_live_${sealed}`,
    `${token.slice(0, -1)}_`,
    '_'.repeat(token.length),
    '%',
    '*',
    'token_test_%',
    client.client_secret,
    client.client_id,
  ]) {
    const reply = await verifyToken(authority, text);
    assert.equal(reply.status, 401, text);
    assertNobody(reply, text);
  }
});

test('B-19: a token of one environment is nothing in the other', async () => {
  assert.equal((await verifyToken(authority, token, { environment: 'production' })).status, 401);
  assert.equal((await verifyToken(authority, ofProduction)).status, 401);
  const there = await verifyToken(authority, ofProduction, { environment: 'production' });
  assert.equal(there.status, 200);
});

test('B-24, B-25: neither a method, an override of it nor a health checker’s name passes without a token', async () => {
  const lines = [
    ...['X-HTTP-Method-Override', 'OPTIONS', 'X-Method-Override', 'HEAD', 'X-Forwarded-Method'],
    ...['OPTIONS', 'X-Forwarded-Uri', '/health', 'X-Original-URI', '/health'],
  ];
  const monitors = ['kube-probe/1.30', 'ELB-HealthChecker/2.0', 'GoogleHC/1.0', 'Prometheus/2'];
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'TRACE', 'PROPFIND', 'QUERY']) {
    for (const monitor of monitors) {
      const asked = { method, lines: [...lines, 'User-Agent', monitor] };
      assertNobody(await verify(authority, asked), `${method} ${monitor}`);
    }
    assert.equal((await verifyToken(authority, token, { method, lines })).status, 200, method);
  }
});

test('B-29: neither a foreign Host nor an absolute target changes the decision or its realm', async () => {
  const target = 'http://evil.example/sandbox/verify';
  for (const asked of [{ lines: ['Host', 'evil.example'] }, { target }]) {
    const reply = await verify(authority, asked);
    assert.equal(reply.status, 401);
    assert.equal(challengeOf(reply)?.['realm'], authority.issuer());
    assert.equal((await verifyToken(authority, token, asked)).status, 200);
    assert.equal((await verifyToken(authority, dead, asked)).status, 401);
  }
  const twice = { lines: ['Host', `127.0.0.1:${authority.port}`, 'Host', 'evil.example'] };
  assert.equal((await verify(authority, twice)).status, 400);
});

test('I-18: a token ends for gateways at the instant at which it ends for introspection', async () => {
  const brief = await newClient(authority, program, { lifetimeSeconds: 2 });
  const short = await tokenOf(brief);
  const expMs = Number((await introspect(server, short)).json()['exp']) * 1000;
  let seenAlive = 0;
  for (;;) {
    const askedMs = Date.now();
    const { status } = await verifyToken(authority, short);
    const active = (await introspect(server, short)).json()['active'];
    if (Date.now() < expMs) {
      assert.deepEqual([status, active], [200, true], 'dead before its time');
      seenAlive += 1;
    }
    if (askedMs >= expMs) {
      assert.deepEqual([status, active], [401, false], 'alive beyond its time');
      break;
    }
  }
  assert.ok(seenAlive > 0, 'it was alive at all');
});
