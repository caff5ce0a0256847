import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  type Client,
  introspect,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
const [bank, acme] = await Promise.all([
  newProgram(authority, 'The bank'),
  newProgram(authority, 'Acme Payments'),
]);
const server = await newClient(authority, bank, { isResourceServer: true });

/** What can kill the tokens of one client; its program is suspended in the middle of each test. */
type CutOff = 'client' | 'secret' | 'token';
type Partner = { readonly client: Client; readonly token: string };

async function newPartner(program: string): Promise<Partner> {
  const client = await newClient(authority, program);
  return { client, token: await tokenOf(client) };
}

/** Each through the means that its owner or support would use. */
const cut: Readonly<Record<CutOff, (partner: Partner) => Promise<unknown>>> = {
  client: ({ client }) => authority.cli('client', 'suspend', client.client_id, '--reason', 'leak'),
  secret: ({ client }) => authority.cli('secret', 'revoke', client.secret_id, '--kill-tokens'),
  token: ({ client, token }) => revoke(client, token),
};

/** What happens to each client before its program is suspended and while it is, and when the client is reactivated. */
type Fate = {
  readonly before: readonly CutOff[];
  readonly during: readonly CutOff[];
  readonly reactivated: 'before its program' | 'after its program' | 'never';
};

const fates: readonly Fate[] = [
  { before: [], during: [], reactivated: 'never' },
  { before: ['client'], during: [], reactivated: 'before its program' },
  { before: ['client'], during: [], reactivated: 'after its program' },
  { before: [], during: ['client'], reactivated: 'before its program' },
  { before: ['token'], during: ['client'], reactivated: 'after its program' },
  { before: ['secret'], during: [], reactivated: 'never' },
  { before: ['token'], during: ['secret', 'client'], reactivated: 'after its program' },
];

type Case = { readonly fate: Fate; readonly partner: Partner };

async function assertDead(cases: readonly Case[], when: string): Promise<void> {
  for (const { fate, partner } of cases) {
    const active = await isActive(server, partner.token);
    assert.equal(active, false, `${when}: ${JSON.stringify(fate)}`);
  }
}

async function apply(cases: readonly Case[], phase: 'before' | 'during'): Promise<void> {
  await Promise.all(
    cases.map(async ({ fate, partner }) => {
      for (const kind of fate[phase]) {
        await cut[kind](partner);
        assert.equal(await isActive(server, partner.token), false, kind);
      }
    }),
  );
}

async function reactivateClients(cases: readonly Case[], when: Fate['reactivated']): Promise<void> {
  const due = cases.filter(({ fate }) => fate.reactivated === when);
  await Promise.all(
    due.map(({ partner }) => authority.cli('client', 'reactivate', partner.client.client_id)),
  );
}

/** Which of the clients are granted a token now. */
async function served(cases: readonly Case[]): Promise<readonly Fate[]> {
  const statuses = await Promise.all(
    cases.map(async ({ partner }) => {
      const { status } = await askToken(partner.client, {}, { from: freshAddress() });
      assert.ok(status === 200 || status === 401, String(status));
      return status;
    }),
  );
  return cases.filter((_, index) => statuses[index] === 200).map(({ fate }) => fate);
}

test('I-15, I-16, I-17: whatever killed a token, in whatever order, no reactivation revives it, and the most restrictive wins', async () => {
  const program = await newProgram(authority);
  const cases = await Promise.all(
    fates.map(async (fate): Promise<Case> => ({ fate, partner: await newPartner(program) })),
  );
  assert.deepEqual(await served(cases), fates);
  await apply(cases, 'before');
  await authority.cli('program', 'suspend', program, '--reason', 'leak');
  await assertDead(cases, 'while the program is suspended');
  assert.deepEqual(await served(cases), []);
  await apply(cases, 'during');
  await reactivateClients(cases, 'before its program');
  await assertDead(cases, 'when some clients are reactivated and the program is not');
  assert.deepEqual(await served(cases), []);
  await authority.cli('program', 'reactivate', program);
  await assertDead(cases, 'when the program is reactivated');
  const lasting = (fate: Fate): boolean => ![...fate.before, ...fate.during].includes('secret');
  const suspended = (fate: Fate): boolean => fate.reactivated === 'after its program';
  assert.deepEqual(
    await served(cases),
    fates.filter((fate) => lasting(fate) && !suspended(fate)),
  );
  await reactivateClients(cases, 'after its program');
  await assertDead(cases, 'when all are reactivated');
  assert.deepEqual(await served(cases), fates.filter(lasting));
  await assertDead(cases, 'beside new tokens');
  const [{ partner } = assert.fail('no case')] = cases;
  assert.equal(await isActive(server, await tokenOf(partner.client)), true);
});

test('I-16: a revoked secret grants no more; its tokens die if so asked, and never those of another secret', async () => {
  const { client, token } = await newPartner(acme);
  const made = await authority.cli('secret', 'create', client.client_id);
  const second = { ...client, client_secret: String(made['client_secret']) };
  const spared = await tokenOf(second);
  await authority.cli('secret', 'revoke', String(made['secret_id']));
  assert.equal((await askToken(second, {}, { from: freshAddress() })).status, 401);
  assert.equal(await isActive(server, spared), true, 'revoked without --kill-tokens');
  await authority.cli('secret', 'revoke', client.secret_id, '--kill-tokens');
  assert.equal((await askToken(client, {}, { from: freshAddress() })).status, 401);
  assert.equal(await isActive(server, token), false, 'revoked with --kill-tokens');
  assert.equal(await isActive(server, spared), true, 'minted by the other secret');
});

test('I-22: a deleted client’s tokens are dead, and a client made in its place shares nothing with it', async () => {
  const { client, token } = await newPartner(acme);
  await authority.cli('client', 'delete', client.client_id);
  assert.equal(await isActive(server, token), false);
  const heir = await newClient(authority, acme);
  assert.notEqual(heir.client_id, client.client_id);
  assert.equal(await isActive(server, token), false);
  assert.equal(await isActive(heir, token), false);
  const crossed = { ...heir, client_id: client.client_id };
  assert.equal((await askToken(crossed, {}, { from: freshAddress() })).status, 401);
});

test('I-25: a suspended resource server learns nothing more', async () => {
  const suspended = await newClient(authority, bank, { isResourceServer: true });
  const token = await tokenOf(server);
  assert.equal(await isActive(suspended, token), true);
  await authority.cli('client', 'suspend', suspended.client_id, '--reason', 'leak');
  const reply = await introspect(suspended, token, { from: freshAddress() });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['active'], undefined);
});

test('I-15: the receipt of a suspension names the running node and is complete', async () => {
  const receipt = await authority.cli('program', 'suspend', acme, '--reason', 'leak');
  assert.equal(receipt['complete'], true);
  const confirmed = receipt['confirmed'] as readonly { node: string; ms: number }[];
  assert.equal(confirmed.length, 1);
  assert.equal(typeof confirmed[0]?.node, 'string');
  assert.equal(typeof confirmed[0]?.ms, 'number');
  assert.deepEqual(receipt['fenced'], []);
});
