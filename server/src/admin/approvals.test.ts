import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

test('where two must agree, a reactivation is asked for by one operator and done by another', async () => {
  const program = `/programs/${api.foreign}`;
  await api.ask('admin', 'PUT /policies/reactivation-approvals', { body: { value: '1' } });
  await api.ask('support', `POST ${program}/suspend`, { body: { reason: 'leak' } });
  const asked = await api.ask('support', `POST ${program}/reactivate`, {
    body: { reason: 'cleaned up' },
  });
  assert.deepEqual([asked.status, asked.body['active']], [202, false]);
  const id = String(asked.body['approval_id']);
  const pending = await api.ask('auditor', 'GET /approvals');
  const [waiting] = pending.body['items'] as Record<string, unknown>[];
  assert.equal(waiting?.['approval_id'], id);
  const own = await api.ask('support', `POST /approvals/${id}/grant`);
  assert.equal(own.status, 409, 'whoever asked cannot agree');
  const shown = await api.ask('support', `GET ${program}`);
  assert.equal(shown.body['suspended'], true);
  const etag = shown.headers.get('etag');
  assert.equal((await api.ask('admin', `POST /approvals/${id}/grant`)).status, 200);
  const after = await api.ask('support', `GET ${program}`);
  assert.equal(after.body['suspended'], false);
  assert.notEqual(after.headers.get('etag'), etag);
});

test('going back to one person needs the second one once more', async () => {
  const asked = await api.ask('admin', 'PUT /policies/reactivation-approvals', {
    body: { value: '0' },
  });
  assert.equal(asked.status, 202);
  const policies = await api.ask('admin', 'GET /policies');
  const [policy] = policies.body['items'] as Record<string, unknown>[];
  assert.deepEqual([policy?.['name'], policy?.['value']], ['reactivation-approvals', '1']);
  const id = String(asked.body['approval_id']);
  assert.equal(
    (await api.ask('support', `POST /approvals/${id}/refuse`, { body: {} })).status,
    200,
  );
});

test('breaking the glass needs a reason, and stands in the audit trail', async () => {
  const program = `/programs/${api.foreign}`;
  await api.ask('support', `POST ${program}/suspend`, { body: { reason: 'leak' } });
  const body = { break_glass: true, reason: 'salaries are due' };
  const bare = await api.ask('admin', `POST ${program}/reactivate`, {
    body: { break_glass: true },
  });
  assert.equal(bare.status, 400);
  const admin = await api.ask('admin', `POST ${program}/reactivate`, { body });
  assert.deepEqual([admin.status, admin.body['active']], [200, true]);
  const lines = await api.ask('auditor', 'GET /audit?action=break-glass');
  assert.equal((lines.body['items'] as unknown[]).length, 1);
});
