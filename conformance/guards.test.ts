/** What a client is held to beyond its secret: changed settings, addresses of its tokens, quotas. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { post } from './exchange.ts';
import { type Authority, startAuthority } from './harness.ts';
import {
  askToken,
  type Client,
  credentialsOf,
  declareScopes,
  isActive,
  newClient,
  newProgram,
  tokenOf,
} from './onboarding.ts';

const HOUR_MS = 3_600_000;

let authority: Authority;
let program: string;
let api: Client;

before(async () => {
  authority = await startAuthority();
  program = await newProgram(authority);
  await declareScopes(authority, ['accounts:read', 'accounts:write']);
  api = await newClient(authority, program, { isResourceServer: true });
});
after(() => authority.stop());

const update = (client: Client, ...options: readonly string[]) =>
  authority.cli('client', 'update', client.client_id, ...options);

const activeFrom = async (token: string, address?: string): Promise<boolean> => {
  const from: Record<string, string> = address === undefined ? {} : { client_ip: address };
  const fields = { ...credentialsOf(api), token, ...from };
  const reply = await post(`${authority.issuer()}/introspect`, fields);
  assert.equal(reply.status, 200, reply.body);
  return reply.json()['active'] === true;
};

describe('a client that may do less than before', () => {
  test('loses the tokens that could do more, and the receipt says that every node knows', async () => {
    const client = await newClient(authority, program, { scope: 'accounts:read accounts:write' });
    const before = await tokenOf(client);
    const done = await update(client, '--scope', 'accounts:read');
    assert.equal(done['complete'], true);
    assert.equal(await isActive(api, before), false);
    const reply = await askToken(client);
    assert.equal(reply.json()['scope'], 'accounts:read');
  });

  test('keeps them where that is asked for, and where it may do more', async () => {
    const client = await newClient(authority, program, { scope: 'accounts:read' });
    const before = await tokenOf(client);
    await update(client, '--scope', 'accounts:read accounts:write');
    await update(client, '--token-lifetime', '60', '--keep-tokens');
    assert.equal(await isActive(api, before), true);
    assert.equal((await askToken(client)).json()['expires_in'], 60);
  });

  test('an update without effect changes nothing; one that names nothing is refused', async () => {
    const client = await newClient(authority, program);
    const before = await tokenOf(client);
    assert.equal((await update(client, '--name', 'partner back end'))['changed'], false);
    assert.equal(await isActive(api, before), true);
    const { code, stderr } = await authority.command('client', 'update', client.client_id);
    assert.equal(code, 1);
    assert.match(stderr, /say what to change/);
  });
});

describe('a client whose tokens are good from its own addresses only', () => {
  test('a token is dead wherever else it is presented, and where nobody says who presented it', async () => {
    const client = await newClient(authority, program);
    await update(
      client,
      '--allow-ip',
      '127.0.0.0/8',
      '--allow-ip',
      '2001:db8::/32',
      '--verify-ip',
      'on',
    );
    const token = await tokenOf(client);
    assert.equal(await activeFrom(token, '127.0.0.1'), true);
    assert.equal(await activeFrom(token, '::ffff:127.0.0.9'), true);
    assert.equal(await activeFrom(token, '2001:db8::7'), true);
    assert.equal(await activeFrom(token, '198.51.100.1'), false);
    assert.equal(await activeFrom(token), false);
    assert.equal(await isActive(client, token), true, 'its own owner may ask from anywhere');
    assert.match(authority.written(), /address-unknown/);
    await update(client, '--verify-ip', 'off');
    assert.equal(await activeFrom(token, '198.51.100.1'), true, 'widened: the token lives on');
  });

  test('a client_ip that is no address is refused by its name', async () => {
    const client = await newClient(authority, program);
    const fields = { ...credentialsOf(api), token: await tokenOf(client), client_ip: '1.2.3' };
    const reply = await post(`${authority.issuer()}/introspect`, fields);
    assert.equal(reply.status, 400);
    assert.match(String(reply.json()['error_description']), /client_ip/);
  });
});

describe('a client with a quota', () => {
  // The count begins anew with the hour of the clock, so no test of it may straddle one.
  before(async () => {
    const leftMs = HOUR_MS - (Date.now() % HOUR_MS);
    if (leftMs < 20_000) await new Promise((resolve) => setTimeout(resolve, leftMs));
  });

  test('gets so many tokens in an hour, then is told to use what it has, and when to ask again', async () => {
    const client = await newClient(authority, program);
    await update(client, '--token-quota', '3');
    for (let count = 0; count < 3; count += 1) assert.equal((await askToken(client)).status, 200);
    const reply = await askToken(client);
    assert.equal(reply.status, 429);
    assert.equal(reply.json()['error'], 'temporarily_unavailable');
    assert.match(String(reply.json()['error_description']), /good for 3600 seconds: keep it/);
    const wait = Number(reply.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 3600, String(wait));
    const lines = await authority.list('audit', 'list');
    assert.equal(linesOf(lines, client), 1, 'one audit line, however often it is refused');
    await update(client, '--token-quota', 'none');
    assert.equal((await askToken(client)).status, 200);
  });

  test('is refused nothing while the quota only reports, and the report is made', async () => {
    const client = await newClient(authority, program);
    await update(client, '--token-quota', '1', '--quota-mode', 'report');
    for (let count = 0; count < 4; count += 1) assert.equal((await askToken(client)).status, 200);
    assert.equal(linesOf(await authority.list('audit', 'list'), client), 1);
    assert.match(authority.written(), /would be refused/);
  });

  const linesOf = (lines: readonly Readonly<Record<string, unknown>>[], client: Client): number =>
    lines.filter(
      (line) => line['action'] === 'quota.reached' && line['target'] === client.client_id,
    ).length;
});
