import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { type Reply, startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

const RACERS = 50;
const made = async (request: string, body: unknown): Promise<Record<string, unknown>> => {
  const reply = await api.ask('admin', request, { body });
  assert.ok(reply.status < 300, JSON.stringify(reply.body));
  return reply.body;
};
const newClient = async () => {
  const { program_id } = await made('POST /programs', { name: 'Acme' });
  const client = await made('POST /clients', { program_id, environment: 'sandbox', name: 'one' });
  return { program_id: String(program_id), client_id: String(client['client_id']) };
};
const etagOf = ({ headers }: Reply): string => headers.get('etag') ?? '';

test('an ETag is the last change about the target: it stays while that stays, and moves with it and with its secrets', async () => {
  const { client_id } = await newClient();
  const first = etagOf(await api.ask('support', `GET /clients/${client_id}`));
  assert.match(first, /^"\d+"$/);
  const headers = { 'If-None-Match': first };
  const again = await api.ask('support', `GET /clients/${client_id}`, { headers });
  assert.deepEqual([again.status, again.body, etagOf(again)], [304, {}, first]);
  await made('POST /programs', { name: 'Another' });
  assert.equal((await api.ask('support', `GET /clients/${client_id}`, { headers })).status, 304);
  const rotated = await api.ask('support', `POST /clients/${client_id}/secrets/rotate`, {
    body: {},
  });
  assert.notEqual(etagOf(rotated), first);
  const after = await api.ask('support', `GET /clients/${client_id}`, { headers });
  assert.deepEqual([after.status, etagOf(after)], [200, etagOf(rotated)]);
});

test('of fifty who change with the same ETag one wins; the others get 412 and nothing of theirs is written', async () => {
  const { client_id } = await newClient();
  const shown = await api.ask('support', `GET /clients/${client_id}`);
  const { head } = await api.context.log.poll(0);
  const replies = await Promise.all(
    Array.from({ length: RACERS }, (_, index) =>
      api.ask('support', `PATCH /clients/${client_id}`, {
        headers: { 'If-Match': etagOf(shown) },
        body: { name: `racer ${index}` },
      }),
    ),
  );
  const [winner, ...more] = replies.filter(({ status }) => status < 300);
  assert.deepEqual(more, []);
  assert.equal(replies.filter(({ status }) => status === 412).length, RACERS - 1);
  assert.equal((await api.context.log.poll(0)).head, head + 1);
  const after = await api.ask('support', `GET /clients/${client_id}`);
  assert.equal(etagOf(after), etagOf(winner as Reply));
});

test('two rotations with one ETag do not both happen, though each makes a secret of its own', async () => {
  const { client_id } = await newClient();
  const headers = {
    'If-Match': etagOf(await api.ask('support', `GET /clients/${client_id}`)),
  };
  const rotate = () =>
    api.ask('support', `POST /clients/${client_id}/secrets/rotate`, { headers, body: {} });
  const statuses = (await Promise.all([rotate(), rotate()])).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [201, 412]);
});

test('an ETag moves with a change of many clients, which does not say of whom', async () => {
  const { client_id, program_id } = await newClient();
  const first = etagOf(await api.ask('support', `GET /clients/${client_id}`));
  await made('POST /bulk/suspend-clients', { where: [`program=${program_id}`], reason: 'drill' });
  const headers = { 'If-None-Match': first };
  const shown = await api.ask('support', `GET /clients/${client_id}`, { headers });
  assert.deepEqual([shown.status, shown.body['state']], [200, 'suspended']);
  const body = { name: 'x' };
  const stale = { 'If-Match': first };
  const late = await api.ask('support', `PATCH /clients/${client_id}`, { headers: stale, body });
  assert.equal(late.status, 412);
});

test('an If-Match that cannot be honoured is refused, and never overlooked', async () => {
  const { client_id } = await newClient();
  for (const tag of ['W/"1"', '"1", "2"', 'nonsense', '""']) {
    const headers = { 'If-Match': tag };
    const reply = await api.ask('admin', `DELETE /clients/${client_id}`, { headers });
    assert.equal(reply.status, 400, tag);
  }
  const body = { name: 'Acme' };
  const headers = { 'If-Match': '"1"' };
  assert.equal((await api.ask('admin', 'POST /programs', { headers, body })).status, 400);
});

test('an If-Match or Idempotency-Key that stands there twice is refused, and never overlooked', async () => {
  const { client_id } = await newClient();
  const twice = (name: string, path: string, method: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = [
        ...['Authorization', `Bearer ${api.tokens.admin}`, 'Content-Type', 'application/json'],
        ...[name, '"1"', name, '"1"', 'Host', 'localhost'],
      ];
      const sent = request(`${api.url}${path}`, { method, headers }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      sent.on('error', reject).end(method === 'POST' ? '{"name":"Twice"}' : undefined);
    });
  assert.equal(await twice('If-Match', `/clients/${client_id}`, 'DELETE'), 400);
  assert.equal(await twice('Idempotency-Key', '/programs', 'POST'), 400);
  const shown = await api.ask('support', `GET /clients/${client_id}`);
  assert.equal(shown.body['state'], 'active');
  assert.deepEqual(await api.context.directory.programs({ nameContains: 'Twice' }), []);
});

test('a creation that is repeated with its key answers the same ids, and never the secret', async () => {
  const { program_id } = await newClient();
  const headers = { 'Idempotency-Key': 'onboarding-1' };
  const body = { program_id, environment: 'sandbox', name: 'back end' };
  const first = await api.ask('support', 'POST /clients', { headers, body });
  assert.equal(first.status, 201);
  assert.match(String(first.body['client_secret']), /^secret_test_/);
  const reordered = { name: 'back end', environment: 'sandbox', program_id };
  const again = await api.ask('support', 'POST /clients', { headers, body: reordered });
  assert.equal(again.status, 200);
  const { client_secret: _, confirmed: __, ...kept } = first.body;
  const { confirmed: ___, ...replayed } = again.body;
  assert.deepEqual(replayed, { ...kept, changed: false, replayed: true });
  assert.equal((await api.context.directory.clients({ programId: program_id })).length, 2);
});

test('the same key with another body is refused, and another caller has keys of its own', async () => {
  const headers = { 'Idempotency-Key': 'shared' };
  const first = await api.ask('support', 'POST /programs', { headers, body: { name: 'One' } });
  assert.equal(first.status, 201);
  const other = await api.ask('support', 'POST /programs', { headers, body: { name: 'Two' } });
  assert.equal(other.status, 422);
  const foreign = await api.ask('admin', 'POST /programs', { headers, body: { name: 'Two' } });
  assert.equal(foreign.status, 201);
  assert.notEqual(foreign.body['program_id'], first.body['program_id']);
});

test('twenty who ask at once with one key make one', async () => {
  const headers = { 'Idempotency-Key': 'at-once' };
  const body = { name: 'At once' };
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => api.ask('support', 'POST /programs', { headers, body })),
  );
  assert.equal(replies.filter(({ status }) => status === 201).length, 1);
  assert.equal(replies.filter(({ status }) => status === 200).length, 19);
  assert.equal(new Set(replies.map((reply) => reply.body['program_id'])).size, 1);
  assert.equal((await api.context.directory.programs({ nameContains: 'at once' })).length, 1);
});

test('a creation that was refused leaves its key free', async () => {
  const headers = { 'Idempotency-Key': 'second-try' };
  const body = { program_id: 'program_none', environment: 'sandbox', name: 'x' };
  assert.equal((await api.ask('support', 'POST /clients', { headers, body })).status, 404);
  const { program_id } = await newClient();
  const good = await api.ask('support', 'POST /clients', {
    headers,
    body: { ...body, program_id },
  });
  assert.equal(good.status, 201);
});
