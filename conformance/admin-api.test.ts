import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Json, startAuthority } from './harness.ts';
import { askToken, type Client, isActive, newClient, newProgram, tokenOf } from './onboarding.ts';
import { type AdminReply, done, newOperator } from './operators.ts';

const authority = await startAuthority();
after(() => authority.stop());

// Who gets to see a secret is the matter of other tests; here it is shown.
await authority.cli('policy', 'set', 'secret-handover', 'shown');
const admin = await newOperator(authority, 'admin');
const support = await newOperator(authority, 'support');
const auditor = await newOperator(authority, 'auditor');

/** The audit lines of an action, without what differs from one change to the next. */
async function linesOf(action: string): Promise<readonly { actor: string; rest: Json }[]> {
  const { items } = await done(auditor.ask(`GET /audit?action=${action}&limit=200`));
  return (items as Json[]).map(({ actor, sequence, hash, at_ms, change, target, ...rest }) => ({
    actor: String(actor),
    rest,
  }));
}

test('a program is onboarded, suspended and reactivated through the API, and its tokens die with the receipt', async () => {
  const { program_id } = await done(support.ask('POST /programs', { name: 'Acme' }));
  const client = (await done(
    support.ask('POST /clients', { program_id, environment: 'sandbox', name: 'back end' }),
  )) as Client;
  const token = await tokenOf(client);
  assert.equal(await isActive(client, token), true);
  const watcher = await newClient(authority, String(program_id));
  const bystander = await newClient(authority, await newProgram(authority, 'Bystander'), {
    isResourceServer: true,
  });
  const receipt = await done(
    support.ask(`POST /programs/${program_id}/suspend`, { reason: 'leak drill' }),
  );
  assert.equal(receipt['complete'], true);
  assert.equal((receipt['confirmed'] as Json[]).length, 1);
  assert.equal(await isActive(bystander, token), false);
  assert.equal((await askToken(watcher)).status, 401);
  const again = await done(support.ask(`GET /receipts/${receipt['sequence']}`));
  const { program_id: _, changed: __, ...kept } = receipt;
  assert.deepEqual(again, kept, 'a receipt is recorded, so it is the same again');
  const repeated = await done(
    support.ask(`POST /programs/${program_id}/suspend`, { reason: 'leak drill' }),
  );
  assert.deepEqual([repeated['changed'], repeated['sequence']], [false, receipt['sequence']]);
  await done(support.ask(`POST /programs/${program_id}/reactivate`));
  assert.equal(await isActive(bystander, token), false, 'nothing revives');
  assert.equal((await askToken(client)).status, 200);
});

test('command line and API leave the same audit line, but for who did it', async () => {
  const both: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    [
      'program.create',
      () => authority.cli('program', 'create', 'Twin'),
      () => done(admin.ask('POST /programs', { name: 'Twin' })),
    ],
    [
      'scope.create',
      () => authority.cli('scope', 'create', 'a:1', '--environment', 'sandbox'),
      () => done(admin.ask('POST /scopes', { name: 'a:2', environment: 'sandbox' })),
    ],
    [
      'operator.remove',
      async () =>
        authority.cli('operator', 'remove', (await newOperator(authority, 'auditor')).clientId),
      async () =>
        done(admin.ask(`DELETE /operators/${(await newOperator(authority, 'auditor')).clientId}`)),
    ],
  ];
  for (const [action, byCommand, byApi] of both) {
    await byCommand();
    await byApi();
    const [command, api] = (await linesOf(action)).slice(-2);
    assert.match(command?.actor ?? '', /^cli:/);
    assert.equal(api?.actor, `operator:${admin.clientId}`);
    assert.deepEqual(api?.rest, command?.rest, action);
  }
});

test('the issuer of operators is not on the public listener, and tells partners nothing of itself', async () => {
  for (const path of ['/admin/token', '/admin/v1/programs', '/admin/v1/openapi.json']) {
    assert.equal((await fetch(`${authority.origin}${path}`, { method: 'POST' })).status, 404, path);
  }
  const metadata = await fetch(
    `${authority.adminOrigin}/.well-known/oauth-authorization-server/admin`,
  );
  const { issuer, scopes_supported } = (await metadata.json()) as Json;
  assert.equal(issuer, `${authority.adminOrigin}/admin`);
  assert.deepEqual(scopes_supported, ['admin', 'auditor', 'partner', 'support']);
  const partner = await newClient(authority, await newProgram(authority));
  const bodies = await Promise.all(
    [admin.clientId, `client_admn_${'0'.repeat(16)}`, `client_test_${'0'.repeat(16)}`].map(
      async (client_id) => {
        const claimed = { ...partner, client_id, client_secret: admin.clientSecret };
        const reply = await askToken(claimed);
        return [reply.status, reply.body];
      },
    ),
  );
  assert.deepEqual(bodies[0], bodies[2], 'an operator is unknown there');
  assert.deepEqual(bodies[1], bodies[2]);
  assert.equal(await isActive(partner, admin.token), false);
  const api = await fetch(`${authority.adminOrigin}/admin/v1/programs`, {
    headers: { Authorization: `Bearer ${await tokenOf(partner)}` },
  });
  assert.equal(api.status, 401, "a partner's token opens nothing here");
});

test('the environment and the program of operators cannot be used for anything else', async () => {
  const program = await newProgram(authority);
  const create = ['client', 'create', '--name', 'x', '--program'];
  const elsewhere = await authority.command(...create, program, '--environment', 'admin');
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /there is no environment admin; there are: sandbox, production/);
  const reserved = ['program_operators', '--environment', 'sandbox'];
  assert.equal((await authority.command(...create, ...reserved)).code, 1);
  const suspend = ['program', 'suspend', 'program_operators', '--reason', 'a slip'];
  assert.equal((await authority.command(...suspend)).code, 1);
  assert.equal((await authority.command('client', 'show', admin.clientId)).code, 1);
  assert.equal((await authority.command('secret', 'rotate', admin.clientId)).code, 1);
  assert.ok(!JSON.stringify(await authority.list('program', 'list')).includes('operators'));
  assert.ok(!JSON.stringify(await authority.list('client', 'list')).includes('client_admn'));
  assert.equal((await support.ask('GET /programs')).status, 200);
});

test('operators who change one thing at once are serialised: all are on record and the last one holds (L-04)', async () => {
  const { program_id } = await done(support.ask('POST /programs', { name: 'Contended' }));
  const before = (await linesOf('program.suspend')).length;
  const lines = (await linesOf('program.reactivate')).length;
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 3 === 0 ? admin : support).ask(
        `POST /programs/${program_id}/${index % 2 === 0 ? 'suspend' : 'reactivate'}`,
        index % 2 === 0 ? { reason: `number ${index}` } : undefined,
      ),
    ),
  );
  const made = replies.filter(({ body }) => body['changed'] === true).map(({ body }) => body);
  // A suspension wins over a reactivation that was decided before it: that one is refused.
  for (const { status } of replies) assert.ok(status === 200 || status === 409, String(status));
  const audited =
    (await linesOf('program.suspend')).length -
    before +
    ((await linesOf('program.reactivate')).length - lines);
  assert.equal(audited, made.length);
  const last = Math.max(...made.map(({ sequence }) => Number(sequence)));
  const shown = await support.ask(`GET /programs/${program_id}`);
  assert.equal(shown.headers.get('etag'), `"${last}"`);
  const suspends = replies.filter((_, index) => index % 2 === 0).map(({ body }) => body);
  const wasSuspended = suspends.some(({ sequence, changed }) => changed && sequence === last);
  assert.equal(shown.body['suspended'], wasSuspended);
});

test('a token is named in the body, is never repeated, and is dead once it is revoked', async () => {
  const client = await newClient(authority, await newProgram(authority));
  const tokens = await Promise.all(Array.from({ length: 5 }, () => tokenOf(client)));
  const [first = ''] = tokens;
  const inspected = await done(auditor.ask('POST /tokens/inspect', { token: first }));
  assert.deepEqual(
    [inspected['standing'], inspected['client_id'], inspected['secret_id']],
    ['live', client.client_id, client.secret_id],
  );
  const revoked = await done(support.ask('POST /tokens/revoke', { token: first }));
  assert.equal(revoked['complete'], true);
  assert.equal(await isActive(client, first), false);
  assert.equal(await isActive(client, tokens[1] ?? ''), true);
  assert.ok(!authority.written().includes(first.slice(12, 60)));

  const seen: Json[] = [];
  let next = '';
  do {
    const page = await done(auditor.ask(`GET /clients/${client.client_id}/tokens?limit=2${next}`));
    seen.push(...(page['items'] as Json[]));
    next = page['next_cursor'] === undefined ? '' : `&cursor=${page['next_cursor']}`;
    await tokenOf(client);
  } while (next !== '');
  assert.equal(seen.length, 5, 'tokens that come meanwhile move no page');
  assert.equal(new Set(seen.map(({ jti }) => jti)).size, 5);
  assert.equal(seen.filter(({ standing }) => standing === 'revoked').length, 1);
});

test('a secret that was handed out can be used, and stands nowhere else', async () => {
  const program_id = await newProgram(authority);
  const headers = { 'Idempotency-Key': 'hand-over' };
  const body = { program_id, environment: 'sandbox', name: 'back end' };
  const client = (await done(support.ask('POST /clients', body, headers))) as Client;
  assert.equal((await askToken(client)).status, 200);
  const replay = await done(support.ask('POST /clients', body, headers));
  assert.equal(replay['client_id'], client.client_id);
  assert.equal(replay['secret_id'], client.secret_id);
  for (const one of [
    replay,
    await done(auditor.ask(`GET /clients/${client.client_id}/secrets`)),
    await done(auditor.ask('GET /audit?limit=200')),
    { written: authority.written() },
  ]) {
    assert.ok(!JSON.stringify(one).includes(client.client_secret.slice(12, 40)));
  }
});

test('operators are served while partners crowd the public listener', async () => {
  const client = await newClient(authority, await newProgram(authority));
  let crowding = true;
  let asked = 0;
  const crowd = Array.from({ length: 64 }, async () => {
    while (crowding) {
      await askToken(client);
      asked += 1;
    }
  });
  const replies: AdminReply[] = [];
  for (let count = 0; count < 10; count += 1) {
    replies.push(await support.ask('POST /programs', { name: `Crowded ${count}` }));
  }
  crowding = false;
  await Promise.all(crowd);
  for (const { status } of replies) assert.equal(status, 201);
  assert.ok(asked > 64, 'there was a crowd');
});
