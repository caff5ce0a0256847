/** What support can tell of a client's credentials afterwards: the impact report. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Authority, type Json, startAuthority } from './harness.ts';
import { askToken, type Client, newClient, newProgram, tokenOf } from './onboarding.ts';

let authority: Authority;
let program: string;

before(async () => {
  authority = await startAuthority();
  program = await newProgram(authority);
});
after(() => authority.stop());

const report = (client: Client, ...options: readonly string[]): Promise<Json> =>
  authority.cli('client', 'report', client.client_id, '--since', '1h', ...options);

/** What is refused is written down within some seconds. */
async function refusedIn(client: Client): Promise<Json> {
  for (;;) {
    const told = await report(client);
    if (rows(told, 'refused').length > 0) return told;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const rows = (document: Json, name: string): readonly Json[] => document[name] as readonly Json[];

test('a report names each token with its secret and address, and counts those before and after a suspension', async () => {
  const client = await newClient(authority, program);
  const second = await authority.cli('secret', 'create', client.client_id);
  const other = { ...client, client_secret: String(second['client_secret']) };
  await tokenOf(client);
  await tokenOf(client);
  await tokenOf(other);
  await authority.cli('program', 'suspend', program, '--reason', 'secret in a public repository');
  assert.equal((await askToken(client)).status, 401);
  await authority.cli('program', 'reactivate', program);
  await tokenOf(other);

  const told = await report(client);
  assert.equal(told['whole'], true);
  assert.equal(rows(told, 'tokens').length, 4);
  assert.equal(told['live'], 1, 'reactivation revives nothing');
  const secrets = rows(told, 'by_secret').map(({ secret_id, tokens, live }) => [
    secret_id,
    tokens,
    live,
  ]);
  assert.deepEqual(
    secrets.sort(),
    [
      [client.secret_id, 2, 0],
      [second['secret_id'], 2, 1],
    ].sort(),
  );
  assert.deepEqual(
    rows(told, 'by_address').map(({ address, tokens }) => [address, tokens]),
    [['127.0.0.1', 4]],
  );
  const [suspension] = rows(told, 'suspensions');
  assert.equal(suspension?.['of'], program);
  assert.notEqual(suspension?.['ended_at'], undefined);
  assert.equal(suspension?.['reason'], 'secret in a public repository');
  assert.deepEqual([suspension?.['tokens_before'], suspension?.['tokens_after']], [3, 1]);
  const actions = rows(told, 'changes').map(({ action }) => action);
  assert.deepEqual(actions, [
    'program.create',
    'client.create',
    'secret.create',
    'program.suspend',
    'program.reactivate',
  ]);

  const [refused] = rows(await refusedIn(client), 'refused');
  assert.deepEqual(
    [refused?.['reason'], refused?.['times'], refused?.['address'], refused?.['secret_id']],
    ['suspended-program', 1, '127.0.0.1', client.secret_id],
  );

  const ofOne = await report(client, '--secret', client.secret_id);
  assert.equal(rows(ofOne, 'tokens').length, 2);
  const text = JSON.stringify(told);
  assert.ok(!text.includes(client.client_secret) && !text.includes(other.client_secret));
});

test('a report as CSV has a heading and a row a token', async () => {
  const client = await newClient(authority, program);
  await tokenOf(client);
  const made = await authority.command(
    'client',
    'report',
    client.client_id,
    '--since',
    '1h',
    '--csv',
  );
  const [heading, row, end] = made.stdout.split('\r\n');
  assert.equal(heading, 'jti,standing,secret_id,scope,resource,issued_at,expires_at,address');
  assert.match(row ?? '', /^[\w-]{16},live,/);
  assert.equal(end, '');
});

test("a report on a span that is no span, or another client's secret, is refused by name", async () => {
  const [client, stranger] = [
    await newClient(authority, program),
    await newClient(authority, program),
  ];
  const told = async (...options: readonly string[]): Promise<string> =>
    (await authority.command('client', 'report', client.client_id, ...options)).stderr;
  assert.match(await told('--since', '1h', '--until', '2h'), /--since must lie before --until/);
  assert.match(await told('--since', '1h', '--secret', stranger.secret_id), /--secret is none of/);
});
