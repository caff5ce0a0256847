import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

test('a partner that changes without end is slowed down, and holds up neither its own reading nor anybody else', async () => {
  const { body } = await api.ask('admin', 'POST /clients', {
    body: { program_id: api.own, environment: 'sandbox', name: 'one' },
  });
  const path = `/clients/${body['client_id']}`;
  const { head } = await api.context.log.poll(0);
  const replies = [];
  for (let n = 0; n < 70; n += 1) {
    replies.push(await api.ask('partner', `POST ${path}/secrets`, { body: { claim: {} } }));
  }
  const [slowed] = replies.filter(({ status }) => status === 429);
  assert.match(slowed?.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  const made = replies.filter(({ status }) => status === 201).length;
  assert.ok(made >= 60 && made < 70, `${made} were made`);
  assert.equal((await api.context.log.poll(0)).head, head + made, 'what is refused writes nothing');
  assert.equal((await api.ask('partner', `GET ${path}`)).status, 200);
  const others = await api.ask('support', `POST ${path}/secrets`, { body: { claim: {} } });
  assert.equal(others.status, 201);
});

test('whoever tries foreign ids without end does not fill the audit trail with it', async () => {
  const before = await api.context.audit.head();
  for (let n = 0; n < 30; n += 1) {
    const { status } = await api.ask('partner', `GET /programs/${api.foreign}`);
    assert.equal(status, 404);
    // Written after it, so that what was to be written of the request is there too.
    const marker = { actor: 'test:setup', atMs: 0, action: 'marker', target: 'store', detail: {} };
    await api.context.changes.record(marker);
  }
  const lines = await api.context.audit.lines({ after: before.sequence, limit: 100 });
  const tries = lines.filter(({ action }) => action === 'operator.refused');
  assert.equal(tries.length, 20);
});
