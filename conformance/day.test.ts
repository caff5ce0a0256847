/** The support desk's whole day, told from the door: onboarding, a leak, the answer to it, and the way back. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createClient, type Client as Partner } from '@countersign/client';
import { startBankingApi } from './banking-api.ts';
import { freshAddress, post } from './exchange.ts';
import { type Json, startAuthority } from './harness.ts';
import { declareScopes } from './onboarding.ts';
import { type AdminReply, done, newOperator, type Operator, type Role } from './operators.ts';
import { core, filesWith } from './planted.ts';
import type { Reply } from './reply.ts';
import { startReceiver } from './webhook-receiver.ts';

const NODES = 2;
const WAIT_MS_MAX = 20_000;
const REASON = 'secret and token in a public repository';

const authority = await startAuthority({
  options: ['--workers', String(NODES)],
  variables: { COUNTERSIGN_LOG_LEVEL: 'debug' },
  firstCommand: ['program', 'list'],
});
const receiver = await startReceiver();
const bank = await startBankingApi(authority);
after(async () => {
  await bank.stop();
  await receiver.close();
  await authority.stop();
});
await declareScopes(authority, ['accounts:read']);

/** Every secret, token, link and passphrase of the day. */
const planted: string[] = [core(bank.secret)];
/** Every answer of the admin API, without what it hands over once by design. */
const answers: string[] = [];

function plant(value: unknown): string {
  assert.ok(typeof value === 'string' && value.length > 40, 'a secret or a token');
  planted.push(core(value));
  return value;
}

const HANDED_OVER = ['claim_url', 'claim_passphrase', 'secret', 'client_secret'];

async function operator(role: Role): Promise<Operator> {
  const made = await newOperator(authority, role);
  plant(made.clientSecret);
  plant(made.token);
  return {
    ...made,
    ask: async (...asked) => {
      const reply = await made.ask(...asked);
      const shown = Object.entries(reply.body).filter(([name]) => !HANDED_OVER.includes(name));
      answers.push(JSON.stringify(Object.fromEntries(shown)), JSON.stringify([...reply.headers]));
      return reply;
    },
  };
}

async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.fail(`never: ${what}`);
}

const told = (type: string, about: Readonly<Record<string, unknown>>): Promise<void> =>
  eventually(`the notice ${type}`, () =>
    receiver.notices.some(
      (notice) =>
        notice.type === type &&
        Object.entries(about).every(([name, value]) => notice.data[name] === value),
    ),
  );

/** What a partner's developer does with a link and a passphrase. */
async function reveal(handover: Json): Promise<string> {
  const url = String(handover['claim_url']);
  const passphrase = String(handover['claim_passphrase']);
  planted.push(new URL(url).pathname.split('/').at(-1) ?? '', passphrase);
  assert.equal(handover['client_secret'], undefined, 'no operator sees the secret');
  for (const headers of [{ 'Sec-Purpose': 'prefetch' }, { Accept: 'text/html' }]) {
    const looked = await fetch(url, { headers });
    assert.equal(looked.status, 200);
    assert.equal(looked.headers.get('referrer-policy'), 'no-referrer');
    assert.doesNotMatch(await looked.text(), /secret_test_[0-9A-Za-z]{49}/);
  }
  const form = new URLSearchParams({ action: 'reveal', passphrase });
  const shown = await fetch(url, { method: 'POST', body: form });
  assert.equal(shown.status, 200);
  const secret = /secret_test_[0-9A-Za-z]{49}/.exec(await shown.text())?.[0];
  return plant(secret);
}

const partnerWith = (clientId: string, clientSecret: string): Partner =>
  createClient({ issuer: authority.issuer(), clientId, clientSecret, api: bank.url });

const callWith = async (partner: Partner): Promise<number> => {
  const response = await partner.fetch(`${bank.url}/v1/accounts`);
  await response.arrayBuffer();
  return response.status;
};

const tokenOf = async (partner: Partner): Promise<string> =>
  plant((await partner.accessToken()).reveal());

const items = async (reply: Promise<AdminReply>): Promise<readonly Json[]> =>
  (await done(reply))['items'] as readonly Json[];

const [admin, support, lead, auditor] = [
  await operator('admin'),
  await operator('support'),
  await operator('support'),
  await operator('auditor'),
];
await done(admin.ask('PUT /policies/reactivation-approvals', { value: '1' }));
const hook = await done(admin.ask('POST /webhooks', { target: receiver.url, sends: 'notices' }));
receiver.trust(plant(hook['secret']));

/** What the day has brought so far; each chapter needs the ones before it. */
let program: string;
let client: string;
let leaked: { readonly secretId: string; readonly secret: string; readonly token: string };
/** A token that nobody has leaked. */
let otherToken: string;
let renewed: Partner;

const secretsOf = () => items(support.ask(`GET /clients/${client}/secrets`));

/** A token request with the leaked secret. */
const askWithLeaked = (): Promise<Reply> =>
  post(
    `${authority.issuer()}/token`,
    {
      ...{ client_id: client, client_secret: leaked.secret },
      grant_type: 'client_credentials',
    },
    { from: freshAddress() },
  );

describe('the day of a support desk', () => {
  test('morning: a partner is onboarded by a claim, and sees its secret alone', async () => {
    const made = await done(support.ask('POST /programs', { name: 'Example Fintech' }));
    program = String(made['program_id']);
    const onboarded = await done(
      support.ask('POST /clients', {
        ...{ program_id: program, environment: 'sandbox', name: 'back end' },
        scope: ['accounts:read'],
      }),
    );
    client = String(onboarded['client_id']);
    assert.deepEqual(await secretsOf(), [], 'there is none before it is revealed');
    const secret = await reveal(onboarded);
    await told('claimed', { client });
    const secretId = String((await secretsOf())[0]?.['secret_id']);
    const partner = partnerWith(client, secret);
    assert.equal(await callWith(partner), 200);
    leaked = { secretId, secret, token: await tokenOf(partner) };
    otherToken = await tokenOf(partnerWith(client, secret));
  });

  test('noon: a finder reports secret and token; the token dies, the secret is marked, the desk is told', async () => {
    const found = { credentials: `${leaked.token} ${leaked.secret}` };
    const reply = await post(`${authority.issuer()}/leaks`, found, { from: freshAddress() });
    assert.equal(reply.status, 202);
    await eventually('the token is dead', async () => (await bank.call(leaked.token)) === 401);
    await told('exposed', { client, secret: leaked.secretId });
    assert.notEqual((await secretsOf())[0]?.['exposed_at'], undefined);
    assert.equal(await bank.call(otherToken), 200, 'no stranger stops a client');
  });

  test('a minute later: support suspends the program, every node has said so, and the next call is refused', async () => {
    const partner = partnerWith(client, leaked.secret);
    assert.equal(await callWith(partner), 200);
    const receipt = await done(
      support.ask(`POST /programs/${program}/suspend`, { reason: REASON }),
    );
    assert.equal(await bank.call(otherToken), 401);
    await assert.rejects(callWith(partner), { code: 'credentials-refused' });
    assert.equal(receipt['complete'], true);
    // Beside the nodes, the bank's API that follows one of them.
    const confirmed = (receipt['confirmed'] as Json[]).map(({ node }) => String(node));
    const nodes = confirmed.filter((node) => !node.startsWith('subscribers:'));
    assert.equal(nodes.length, NODES);
    await told('suspended', { program, reason: REASON, receipt: receipt['sequence'] });
  });

  test('the partner asks why: the answer says little, and its id tells support all', async () => {
    const refused = await askWithLeaked();
    assert.equal(refused.status, 401);
    const id = refused.headers['x-request-id'];
    const explained = await done(support.ask(`GET /requests/${id}`));
    assert.equal(explained['reason'], 'suspended-program');
    assert.equal((explained['client'] as Json)['client_id'], client);
  });

  test('afternoon: the report says what was done with it, and that nothing of it is live', async () => {
    const report = await done(support.ask(`GET /clients/${client}/report?since=1h`));
    assert.deepEqual([report['whole'], report['live']], [true, 0]);
    const [bySecret] = report['by_secret'] as Json[];
    assert.deepEqual([bySecret?.['secret_id'], bySecret?.['tokens']], [leaked.secretId, 3]);
    const [suspension] = report['suspensions'] as Json[];
    assert.deepEqual([suspension?.['of'], suspension?.['reason']], [program, REASON]);
  });

  test('a reactivation waits for a second person; then the partner reveals its new secret, and old tokens stay dead', async () => {
    const rotation = await done(
      support.ask(`POST /clients/${client}/secrets/rotate`, { overlap: '1h', claim: {} }),
    );
    const asked = await done(
      support.ask(`POST /programs/${program}/reactivate`, { reason: 'repository cleaned' }),
    );
    assert.deepEqual([asked['active'], typeof asked['approval_id']], [false, 'string']);
    await told('approval-pending', { target: asked['approval_id'] });
    const approval = `POST /approvals/${asked['approval_id']}/grant`;
    assert.equal((await support.ask(approval)).status, 409, 'nobody approves what they asked for');
    assert.equal((await askWithLeaked()).status, 401);
    await done(lead.ask(approval));
    await told('reactivated', { program });

    renewed = partnerWith(client, await reveal(rotation));
    assert.equal(await callWith(renewed), 200);
    await tokenOf(renewed);
    for (const dead of [leaked.token, otherToken]) assert.equal(await bank.call(dead), 401);
  });

  test('evening: once the partner has changed over, the leaked secret ends with what it got, and the new one stays', async () => {
    const inOverlap = await askWithLeaked();
    assert.equal(inOverlap.status, 200, 'both work until then');
    const lastToken = plant(inOverlap.json()['access_token']);
    assert.equal(await bank.call(lastToken), 200);
    await done(support.ask(`POST /secrets/${leaked.secretId}/revoke`, { kill_tokens: true }));
    assert.equal(await bank.call(lastToken), 401);
    assert.equal((await askWithLeaked()).status, 401);
    assert.equal(await callWith(renewed), 200);
    assert.deepEqual((await secretsOf()).map(({ state }) => state).sort(), ['live', 'revoked']);
  });

  test('the trail has all of it, and is intact in the store and outside it', async () => {
    assert.equal((await done(auditor.ask('GET /audit/verification')))['intact'], true);
    const file = join(authority.data, 'audit.jsonl');
    await authority.cli('audit', 'export', '--out', file);
    assert.equal((await authority.cli('audit', 'verify', file))['intact'], true);
    const trail = await readFile(file, 'utf8');
    for (const action of ['claim.used', 'secret.expose', 'program.suspend', 'approval.grant']) {
      assert.ok(trail.includes(action), action);
    }
  });

  test('of all that, no secret, token, link or passphrase stands in a log, an answer, a webhook, the trail or a file', async () => {
    await authority.kill();
    await authority.start();
    const outputs = [authority.written(), bank.written(), ...answers, ...receiver.bodies].join(
      '\n',
    );
    assert.ok(
      planted.length >= 15 && planted.every((text) => text.length >= 14),
      'something to find',
    );
    for (const text of planted) {
      const at = outputs.indexOf(text);
      assert.equal(at, -1, `in an output: ${outputs.slice(at - 200, at)}[…]`);
    }
    assert.deepEqual(filesWith(authority.directories, planted), []);
    assert.notDeepEqual(
      filesWith(authority.directories, [REASON]),
      [],
      'what may be stored is found',
    );
    assert.ok(outputs.includes(REASON), 'what may be told is found');
  });
});
