import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

test('no operator has the server write a file, however the URL is spelled', async () => {
  for (const target of [
    'file:///tmp/audit.jsonl',
    'FILE:/tmp/audit.jsonl',
    ' fi\tle:///tmp/audit.jsonl',
    'file://localhost/tmp/audit.jsonl',
  ]) {
    const reply = await api.ask('admin', 'POST /webhooks', { body: { target, sends: 'audit' } });
    assert.equal(reply.status, 400, target);
  }
  assert.deepEqual(await api.context.webhooks.list(), []);
});

test('the path and query of a webhook, where receivers like to put what nobody else should know, are never shown', async () => {
  const body = { target: 'https://hooks.bank.example/T0/hidden?token=hidden', sends: 'audit' };
  const made = await api.ask('admin', 'POST /webhooks', { body });
  const id = String(made.body['webhook_id']);
  for (const request of ['GET /webhooks', `GET /webhooks/${id}`, 'GET /audit?limit=200']) {
    const shown = await api.ask('auditor', request);
    assert.equal(shown.status, 200);
    assert.ok(!JSON.stringify(shown.body).includes('hidden'), request);
    assert.ok(JSON.stringify(shown.body).includes('https://hooks.bank.example'), request);
  }
});
