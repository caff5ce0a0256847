import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, grantOf, newClient, newProgram } from './onboarding.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';
import type { Reply } from './reply.ts';

const authority = await startAuthority();
const elsewhere = await startAuthority();
after(() => Promise.all([authority.stop(), elsewhere.stop()]));
const program = await newProgram(authority);
const client = await newClient(authority, program);
const tokenUrl = `${authority.issuer()}/token`;

const idOf = (reply: Reply | undefined): string =>
  reply?.headers['x-request-id'] ?? assert.fail('an answer names its request');

const explain = (reply: Reply | undefined) => authority.cli('explain', idOf(reply));

const sent = () => ({ from: freshAddress() });

test('a refused partner’s id tells support reason, time, client, program, secret and their present state', async () => {
  const rotated = await newClient(authority, program);
  await authority.cli('secret', 'rotate', rotated.client_id, '--overlap', '0s');
  const before = Date.now();
  const reply = await askToken(rotated, {}, sent());
  assert.equal(reply.status, 401);
  assert.match(idOf(reply), /^req_[0-9A-Za-z]{70}$/);
  const told = await explain(reply);
  assert.equal(told['reason'], 'revoked-secret');
  assert.equal(told['endpoint'], 'token');
  assert.equal(told['environment'], 'sandbox');
  const atMs = Date.parse(String(told['refused_at']));
  assert.ok(atMs >= before - 1 && atMs <= Date.now(), 'when');
  const { client: who, program: whose, secret } = told as Record<string, Record<string, unknown>>;
  assert.equal(who?.['client_id'], rotated.client_id);
  assert.equal(who?.['state'], 'active');
  assert.equal(whose?.['program_id'], program);
  assert.equal(secret?.['state'], 'revoked');
  for (const words of ['means', 'check', 'tell']) assert.ok(String(told[words]).length > 20, words);

  await authority.cli('client', 'suspend', rotated.client_id, '--reason', 'drill');
  const later = (await explain(reply)) as Record<string, Record<string, unknown>>;
  assert.equal(later['client']?.['state'], 'suspended', 'as it is now');
  const { stdout } = await authority.command('explain', idOf(reply));
  assert.match(stdout, /because: +revoked-secret\n/);
  assert.match(stdout, /tell the partner: /);
});

test('T-19: the ids of an unknown client and of a wrong secret look alike, and only support tells them apart', async () => {
  const unknown = { ...client, client_id: client.client_id.replace(/.{16}$/, '0000000000000000') };
  const wrong = { ...client, client_secret: client.client_secret.replace(/.{10}$/, '0000000000') };
  const replies = await Promise.all([unknown, wrong].map((one) => askToken(one, {}, sent())));
  assert.equal(new Set(replies.map((reply) => idOf(reply).length)).size, 1);
  const [first, second] = await Promise.all(replies.map(explain));
  assert.equal(first?.['reason'], 'unknown-client');
  assert.equal(first?.['client'], undefined);
  assert.equal(second?.['reason'], 'wrong-secret');
  const named = second?.['client'] as Record<string, unknown> | undefined;
  assert.equal(named?.['client_id'], client.client_id);
});

test('what the HTTP layer refuses by itself carries such an id too, and a line in the log under it', async () => {
  const { pathname } = new URL(tokenUrl);
  const host = `Host: 127.0.0.1:${authority.port}`;
  const [malformed] = await rawExchange(authority.port, 'no request at all\r\n\r\n');
  const [repeated] = await rawExchange(
    authority.port,
    rawRequest(`POST ${pathname}`, [host, host], ''),
  );
  const [headers] = await rawExchange(
    authority.port,
    rawRequest(`POST ${pathname}`, [host, `X-Large: ${'a'.repeat(17_000)}`], ''),
  );
  const cases: readonly (readonly [string, Reply | undefined])[] = [
    ['not-found', await send(`${authority.origin}/nowhere`, sent())],
    ['method-not-allowed', await send(tokenUrl, sent())],
    ['too-large', await post(tokenUrl, `a=${'b'.repeat(10_000)}`, sent())],
    [
      'unsupported-encoding',
      await post(tokenUrl, 'a=b', { headers: { 'Content-Encoding': 'gzip' } }),
    ],
    ['malformed-message', malformed],
    ['malformed-message', repeated],
    ['headers-too-large', headers],
  ];
  for (const [reason, reply] of cases) {
    assert.equal((await explain(reply))['reason'], reason);
    const lines = authority
      .written()
      .split('\n')
      .filter((line) => line.includes(idOf(reply)));
    assert.equal(lines.length, 1, reason);
    assert.equal(JSON.parse(lines[0] ?? '')['reason'], reason);
  }
  const told = await explain(cases[2]?.[1]);
  assert.deepEqual([told['endpoint'], told['environment']], ['token', 'sandbox']);
});

test('a forged, cut or foreign id and that of a granted request are refused, each in its words', async () => {
  const reply = await askToken({ ...client, client_secret: 'x' }, {}, sent());
  const granted = await askToken(client);
  assert.equal(granted.status, 200);
  const stranger = await post(`${elsewhere.issuer()}/token`, 'a=b', sent());
  const id = idOf(reply);
  const altered = id.slice(0, -1) + (id.endsWith('0') ? '1' : '0');
  const cases: readonly (readonly [string, RegExp])[] = [
    [altered, /altered or made up/],
    [id.slice(0, -3), /cut off or mistyped/],
    [idOf(stranger), /not of this store/],
    [idOf(granted), /was not refused/],
    [client.client_secret, /has not the form/],
  ];
  for (const [text, words] of cases) {
    const { code, stdout, stderr } = await authority.command('explain', text);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, words);
    assert.ok(!stderr.includes(text), 'what was given is not repeated');
  }
});

test('yesterday’s ids are explained after every rotation, retirement and restart', async () => {
  const reply = await askToken({ ...client, client_secret: 'x' }, {}, sent());
  await authority.cli('keys', 'rotate', '--environment', 'sandbox', '--purpose', 'secret');
  await authority.cli('keys', 'rotate', '--environment', 'sandbox', '--purpose', 'token');
  const second = await askToken({ ...client, client_secret: 'x' }, {}, sent());
  await authority.kill();
  await authority.start();
  for (const one of [reply, second]) assert.equal((await explain(one))['reason'], 'wrong-secret');
});

test('an id outlives its key: it is explained though the key has been retired for good', async () => {
  const reply = await post(`${elsewhere.issuer()}/token`, 'a=b', sent());
  const sandbox = ['--environment', 'sandbox', '--purpose', 'secret'];
  await elsewhere.cli('keys', 'rotate', ...sandbox);
  await elsewhere.cli('keys', 'retire', ...sandbox, '--version', '1');
  assert.equal((await elsewhere.cli('explain', idOf(reply)))['reason'], 'missing-parameter');
});

test('a secret that stands in a form is in no id: what is sealed are numbers', async () => {
  const body = new URLSearchParams({ ...grantOf(client), scope: client.client_secret }).toString();
  const reply = await post(tokenUrl, body, sent());
  assert.equal(reply.status, 400);
  assert.equal((await explain(reply))['reason'], 'scope-not-allowed');
  assert.ok(!JSON.stringify(await explain(reply)).includes(client.client_secret.slice(14, 44)));
});
