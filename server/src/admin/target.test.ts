import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { suspendProgram } from '../operations/suspend-program.ts';
import { OPERATORS } from '../ports/model.ts';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

const newClient = async (program_id: string) => {
  const body = { program_id, environment: 'sandbox', name: 'one' };
  const { body: made } = await api.ask('admin', 'POST /clients', { body });
  return { client_id: String(made['client_id']), secret_id: String(made['secret_id']) };
};
const own = await newClient(api.own);
const foreign = await newClient(api.foreign);

test('a partner sees its own program and clients, and no others in any list', async () => {
  const programs = await api.ask('partner', 'GET /programs');
  const clients = await api.ask('partner', 'GET /clients');
  const ids = (body: Record<string, unknown>, name: string) =>
    (body['items'] as Record<string, string>[]).map((item) => item[name]);
  assert.deepEqual(ids(programs.body, 'program_id'), [api.own]);
  assert.deepEqual(ids(clients.body, 'client_id'), [own.client_id]);
  assert.equal((await api.ask('partner', `GET /clients/${own.client_id}/secrets`)).status, 200);
});

test('ids of another program are not there for a partner, whatever it asks, and each try is on record (L-08)', async () => {
  const { client_id, secret_id } = foreign;
  const tries = [
    [`GET /programs/${api.foreign}`, api.foreign],
    [`GET /clients/${client_id}`, client_id],
    [`GET /clients/${client_id}/secrets`, client_id],
    [`GET /clients/${client_id}/tokens`, client_id],
    [`POST /clients/${client_id}/secrets`, client_id, {}],
    [`POST /clients/${client_id}/secrets/rotate`, client_id, {}],
    [`POST /secrets/${secret_id}/revoke`, client_id, {}],
    [`POST /secrets/${secret_id}/expire`, client_id, {}],
    [`GET /clients?program_id=${api.foreign}`, api.foreign],
  ] as const;
  const before = await api.context.audit.head();
  const { head } = await api.context.log.poll(0);
  const missing = await api.ask('partner', 'GET /clients/client_test_none');
  for (const [request, , body] of tries) {
    const reply = await api.ask('partner', request, { body });
    assert.equal(reply.status, 404, request);
    const { request_id: _, ...seen } = reply.body;
    const { request_id: __, ...none } = missing.body;
    assert.deepEqual(seen, none, 'it looks like what does not exist');
  }
  assert.equal((await api.context.log.poll(0)).head, head, 'nothing was changed');
  const lines = await linesAfter(before.sequence, tries.length);
  assert.deepEqual(
    lines.map(({ action, target }) => [action, target]),
    tries.map(([, target]) => ['operator.refused', target]),
  );
  for (const { actor, detail } of lines) {
    assert.match(actor, /^operator:client_admn_/);
    assert.equal(detail['program'], api.own);
  }
});

async function linesAfter(after: number, count: number) {
  for (;;) {
    const lines = await api.context.audit.lines({ after, limit: 100 });
    if (lines.length >= count) return lines;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a partner gets the receipts of its own changes and of no others', async () => {
  const made = await api.ask('partner', `POST /clients/${own.client_id}/secrets`, { body: {} });
  assert.equal(made.status, 201);
  const sequence = Number(made.body['sequence']);
  assert.equal((await api.ask('partner', `GET /receipts/${sequence}`)).status, 200);
  assert.equal((await api.ask('partner', `GET /receipts/${sequence - 1}`)).status, 404);
  assert.equal((await api.ask('auditor', `GET /receipts/${sequence - 1}`)).status, 200);
});

test('operators are no clients for anybody: whoever could give one a secret would have its role', async () => {
  const { body } = await api.ask('admin', 'GET /operators');
  const [admin] = body['items'] as { client_id: string; role: string }[];
  const [secret] = await api.context.directory.secrets({ clientId: admin?.client_id ?? '' });
  for (const request of [
    `GET /clients/${admin?.client_id}`,
    `POST /clients/${admin?.client_id}/secrets`,
    `POST /clients/${admin?.client_id}/secrets/rotate`,
    `POST /secrets/${secret?.secretId}/revoke`,
    `DELETE /clients/${admin?.client_id}`,
  ]) {
    const sent = request.startsWith('POST') ? { body: {} } : {};
    assert.equal((await api.ask('admin', request, sent)).status, 404, request);
  }
  const clients = await api.ask('admin', 'GET /clients?limit=200');
  assert.ok(!JSON.stringify(clients.body).includes('client_admn_'));
});

test("the operators' own program is in no list, cannot be suspended, and takes no partner's client", async () => {
  const id = OPERATORS.programId;
  const programs = await api.ask('admin', 'GET /programs?limit=200');
  assert.ok(!JSON.stringify(programs.body).includes(id));
  const body = { reason: 'a slip' };
  assert.equal((await api.ask('admin', `POST /programs/${id}/suspend`, { body })).status, 404);
  const client = { program_id: id, environment: 'sandbox', name: 'x' };
  assert.equal((await api.ask('admin', 'POST /clients', { body: client })).status, 404);
  const elsewhere = { program_id: api.own, environment: 'admin', name: 'x' };
  assert.equal((await api.ask('admin', 'POST /clients', { body: elsewhere })).status, 404);
  const scope = { name: 'root', environment: 'admin' };
  assert.equal((await api.ask('admin', 'POST /scopes', { body: scope })).status, 404);
});

test('a partner is suspended with its program: its token is dead at once', async () => {
  await suspendProgram(api.context, { programId: api.own, reason: 'leak' });
  const reply = await api.ask('partner', 'GET /programs');
  assert.equal(reply.status, 401);
  assert.match(reply.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  assert.equal((await api.ask('support', 'GET /programs')).status, 200);
});

test('a removed operator is out at once', async () => {
  const { body } = await api.ask('admin', 'GET /operators');
  const support = (body['items'] as { client_id: string; role: string }[]).find(
    ({ role }) => role === 'support',
  );
  const removed = await api.ask('admin', `DELETE /operators/${support?.client_id}`);
  assert.deepEqual([removed.status, removed.body['complete']], [200, true]);
  assert.equal((await api.ask('support', 'GET /programs')).status, 401);
});
