import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setPolicy } from '../operations/policies.ts';
import { type Api, startApi } from './testing/running-api.ts';

let api: Api;
before(async () => {
  api = await startApi();
  await setPolicy(api.context, { name: 'secret-handover', value: 'claim' });
});
after(() => api.stop());

const newClient = (more: object = {}, headers: Record<string, string> = {}) =>
  api.ask('support', 'POST /clients', {
    headers,
    body: { program_id: api.own, environment: 'sandbox', name: 'server', ...more },
  });

function assertClaim(body: Readonly<Record<string, unknown>>): void {
  assert.match(String(body['claim_id']), /^clm_/);
  assert.match(String(body['claim_url']), /\/sandbox\/claim\/clm_\w{16}\/\w{22}$/);
  assert.match(String(body['claim_passphrase']), /^\w{4}-\w{4}-\w{4}$/);
  assert.ok(!('client_secret' in body) && !('secret_id' in body));
}

test('no operator sees a secret: whatever makes one answers with a claim, unless the policy allows otherwise', async () => {
  const made = await newClient();
  assert.equal(made.status, 201);
  assertClaim(made.body);
  const path = `/clients/${made.body['client_id']}`;
  for (const [request, role] of [
    [`POST ${path}/secrets`, 'partner'],
    [`POST ${path}/secrets/rotate`, 'admin'],
  ] as const) {
    const reply = await api.ask(role, request, { body: {} });
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    assertClaim(reply.body);
  }
  assert.deepEqual((await api.ask('support', `GET ${path}/secrets`)).body['items'], []);
  await setPolicy(api.context, { name: 'secret-handover', value: 'shown' });
  const shown = await newClient();
  assert.match(String(shown.body['client_secret']), /^secret_test_/);
  const chosen = await newClient({ claim: { passphrase: false, expires_at: '1h' } });
  assert.ok('claim_url' in chosen.body && !('claim_passphrase' in chosen.body));
  assert.ok(!('client_secret' in chosen.body));
  await setPolicy(api.context, { name: 'secret-handover', value: 'claim' });
});

test('a repeated request is told the id of the claim, and neither its link nor its passphrase', async () => {
  const headers = { 'Idempotency-Key': 'claims-once' };
  const first = await newClient({}, headers);
  const again = await newClient({}, headers);
  assert.equal(again.body['claim_id'], first.body['claim_id']);
  assert.equal(again.body['replayed'], true);
  assert.ok(!('claim_url' in again.body) && !('claim_passphrase' in again.body));
});

test('claims are listed, shown and revoked below their client, and nowhere else', async () => {
  const [one, two] = [(await newClient()).body, (await newClient()).body];
  const at = (client: unknown, claim: unknown) => `/clients/${client}/claims/${claim}`;
  const own = at(one['client_id'], one['claim_id']);
  const listed = await api.ask('auditor', `GET /clients/${one['client_id']}/claims`);
  const items = listed.body['items'] as Record<string, unknown>[];
  assert.deepEqual(
    items.map((item) => [item['claim_id'], item['state']]),
    [[one['claim_id'], 'open']],
  );
  assert.ok(!JSON.stringify(listed.body).includes(String(one['claim_passphrase'])));
  const foreign = at(one['client_id'], two['claim_id']);
  assert.equal((await api.ask('support', `GET ${foreign}`)).status, 404);
  assert.equal((await api.ask('support', `POST ${foreign}/revoke`)).status, 404);
  assert.equal((await api.ask('support', `POST ${own}/revoke`)).status, 200);
  assert.equal((await api.ask('auditor', `GET ${own}`)).body['state'], 'revoked');
  assert.equal((await api.ask('auditor', `POST ${own}/revoke`)).status, 403);
});
