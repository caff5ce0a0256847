/** @countersign/resource-server on a real authority: whose request it is, and what is answered, for each kind of handler. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createVerifier, type VerifierOptions } from '@countersign/resource-server';
import { newGuard, requireIdentity } from '@countersign/resource-server/node';
import {
  type Authority,
  type Credentials,
  newClient,
  onboard,
  startAuthority,
  tokenOf,
} from './test-kit/authority.ts';

const URL_OF_CALL = 'https://api.bank.example/v1/accounts';

/** A client whose tokens are good from this machine only. */
const HELD = [
  ['--allow-ip', '127.0.0.1'],
  ['--verify-ip', 'on'],
] as const;

let authority: Authority;
let issuer: string;
let bank: string;
let own: Credentials;

before(async () => {
  authority = await startAuthority();
  issuer = authority.issuer('sandbox');
  bank = await onboard(authority, 'Bank');
  own = await newClient(authority, { programId: bank, flags: ['--resource-server'] });
});
after(() => authority?.stop());

const newVerifier = (more: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuer,
    ...own,
    realm: 'bank',
    onOutage: ({ message }) => assert.fail(message),
    ...more,
  });

async function newPartner(flags?: readonly string[], update: readonly string[] = []) {
  const programId = await onboard(authority, 'Partner');
  const credentials = await newClient(authority, flags ? { programId, flags } : { programId });
  if (update.length > 0) {
    await authority.operate('client', 'update', credentials.clientId, ...update);
  }
  return { programId, credentials, token: await tokenOf(issuer, credentials) };
}

const call = (authorization?: string, url = URL_OF_CALL): Request =>
  new Request(url, authorization === undefined ? {} : { headers: { authorization } });

test('a live token tells program, client, scope, id and end', async () => {
  const { programId, credentials, token } = await newPartner(['--scope', 'accounts:read']);
  const verdict = await newVerifier().verify(call(`Bearer ${token}`), { scope: 'accounts:read' });
  assert.ok(verdict.ok);
  const { identity } = verdict;
  assert.equal(identity.programId, programId);
  assert.equal(identity.clientId, credentials.clientId);
  assert.deepEqual([...identity.scope], ['accounts:read']);
  assert.ok(identity.expiresAtSeconds > Date.now() / 1000);
  const inspected = await authority.operate('token', 'inspect', token);
  assert.equal(identity.tokenId, inspected['jti']);
  assert.ok(!JSON.stringify(identity).includes(token));
});

test('B-03 to B-19: each refusal is that of RFC 6750', async () => {
  const { verify } = newVerifier();
  const { token } = await newPartner(['--scope', 'accounts:read']);
  const dead = (await newPartner()).token;
  await authority.operate('token', 'revoke', dead);
  const invalid =
    'Bearer realm="bank", error="invalid_token", error_description="The access token expired, was revoked or is not ' +
    `valid here; authenticate again at ${issuer}/token"`;
  const cases: readonly (readonly [Request, number, string | RegExp])[] = [
    [call(), 401, 'Bearer realm="bank"'],
    [call('Basic YTpi'), 401, 'Bearer realm="bank"'],
    [call(`Bearer ${dead}`), 401, invalid],
    [call('Bearer nonsense'), 401, invalid],
    [call(`Bearer ${'a'.repeat(4_096)}`), 401, invalid],
    [call(`Bearer ${'a'.repeat(5_000)}`), 401, invalid],
    [call(`Bearer ${token}A`), 401, invalid],
    [call(`Bearer ${token} ${token}`), 401, invalid],
    [call(`Bearer ${token},${token}`), 401, invalid],
    [call('Bearer %'), 401, invalid],
    [call(`Bearer ${token}`, `${URL_OF_CALL}?access_token=x`), 400, /invalid_request/],
    [call(undefined, `${URL_OF_CALL}?a=b&access%5Ftoken=${token}`), 400, /invalid_request/],
  ];
  for (const [request, status, challenge] of cases) {
    const verdict = await verify(request);
    assert.ok(!verdict.ok);
    const { response } = verdict;
    assert.equal(response.status, status);
    const told = response.headers.get('WWW-Authenticate') ?? '';
    if (typeof challenge === 'string') assert.equal(told, challenge);
    else assert.match(told, challenge);
    assert.equal(response.headers.get('Cache-Control'), 'no-store');
    const body = (await response.json()) as Readonly<Record<string, unknown>>;
    assert.ok(!JSON.stringify(body).includes(token));
    // RFC 6750 §3.1: no code where nothing was presented.
    assert.equal('error' in body, told.includes('error='));
  }
  const twice = new Headers([
    ['Authorization', `Bearer ${token}`],
    ['Authorization', `Bearer ${token}`],
  ]);
  const two = await verify(new Request(URL_OF_CALL, { headers: twice }));
  assert.ok(!two.ok);
  assert.equal(two.response.status, 400);
  assert.ok((await verify(call(`bearer ${token}`))).ok, 'a scheme has no case');

  const scope = 'accounts:read profiles:read';
  const narrow = await verify(call(`Bearer ${token}`), { scope });
  assert.ok(!narrow.ok);
  assert.equal(narrow.response.status, 403);
  assert.match(
    narrow.response.headers.get('WWW-Authenticate') ?? '',
    /error="insufficient_scope".*, scope="accounts:read profiles:read"$/,
  );
});

test('a token for another resource is none here, and looks like any dead one', async () => {
  const [ours, theirs] = ['https://api.bank.example', 'https://other.bank.example'];
  for (const uri of [ours, theirs]) {
    await authority.operate('resource', 'create', uri, '--environment', 'sandbox');
  }
  const { verify } = newVerifier({ resource: ours });
  const refusal = async (token: string): Promise<unknown> => {
    const verdict = await verify(call(`Bearer ${token}`));
    assert.ok(!verdict.ok);
    return [verdict.response.status, [...verdict.response.headers], await verdict.response.text()];
  };
  const unknown = await refusal('nonsense');
  assert.deepEqual(await refusal((await newPartner(['--resource', theirs])).token), unknown);
  const { token } = await newPartner(['--resource', ours]);
  assert.ok((await verify(call(`Bearer ${token}`))).ok);
});

test('a client held to its addresses is held to them here: an unknown address is not believed', async () => {
  const { token } = await newPartner(...HELD);
  const { verify } = newVerifier();
  const from = async (clientIp?: string) =>
    (await verify(call(`Bearer ${token}`), { clientIp })).ok;
  assert.equal(await from('127.0.0.1'), true);
  assert.equal(await from('::ffff:127.0.0.1'), true);
  assert.equal(await from('127.0.0.2'), false);
  assert.equal(await from(), false);
});

test('a suspended program is refused by the first call after the receipt, in every call', async () => {
  const { programId, token } = await newPartner();
  const { verify } = newVerifier();
  const together = () =>
    Promise.all(Array.from({ length: 50 }, () => verify(call(`Bearer ${token}`))));
  assert.ok((await together()).every(({ ok }) => ok));
  await authority.operate('program', 'suspend', programId, '--reason', 'leaked');
  for (const verdict of await together()) {
    assert.ok(!verdict.ok);
    assert.equal(verdict.response.status, 401);
  }
});

test('a client that is no resource server learns nothing of the tokens of others', async () => {
  const { credentials } = await newPartner();
  const { token } = await newPartner();
  assert.equal((await newVerifier(credentials).verify(call(`Bearer ${token}`))).ok, false);
});

/** A real server over a handler; calls it with raw header lines. */
async function serving(
  handler: RequestListener,
  use: (call: (lines: readonly string[], path?: string) => Promise<[number, string]>) => unknown,
): Promise<void> {
  const server = createServer(handler);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await use(async (lines, path = '/') => {
      const headers = ['Host', `127.0.0.1:${port}`, ...lines];
      const request = send({ host: '127.0.0.1', port, path, headers });
      request.end();
      const [response] = await once(request, 'response');
      let body = '';
      for await (const chunk of response) body += String(chunk);
      return [response.statusCode, body];
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('on node:http a guard answers what it refuses, sees both of two headers, and knows the address', async () => {
  const { programId, token } = await newPartner(...HELD);
  const guard = newGuard(newVerifier());
  const line = ['Authorization', `Bearer ${token}`];
  let reached = 0;
  const handler: RequestListener = async (request, response) => {
    const identity = await guard(request, response);
    if (identity === undefined) return;
    reached += 1;
    assert.equal(requireIdentity(request), identity);
    response.end(identity.programId);
  };
  await serving(handler, async (call) => {
    assert.deepEqual(await call(line), [200, programId]);
    assert.equal((await call([]))[0], 401);
    assert.equal((await call([...line, ...line]))[0], 400);
    assert.equal((await call(line, '/?access_token=x'))[0], 400);
    assert.equal(
      (await call(['Authorization', 'Bearer x', 'X-Forwarded-For', '127.0.0.1']))[0],
      401,
    );
  });
  assert.equal(reached, 1);

  const elsewhere = newGuard(newVerifier(), { clientIp: () => '192.0.2.1' });
  const refused: RequestListener = async (request, response) => {
    if ((await elsewhere(request, response)) !== undefined) response.end();
  };
  await serving(refused, async (call) => assert.equal((await call(line))[0], 401));
});
