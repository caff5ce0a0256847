import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

type Errors = { pointer?: string; parameter?: string; detail: string }[];

/** What is said to be wrong with a body or a query. */
async function wrongIn(request: string, body?: unknown): Promise<Errors> {
  const reply = await api.ask('admin', request, body === undefined ? {} : { body });
  assert.equal(reply.status, 400, `${request}: ${JSON.stringify(reply.body)}`);
  assert.equal(reply.headers.get('content-type'), 'application/problem+json');
  assert.equal(reply.headers.get('x-request-id'), reply.body['request_id']);
  assert.equal(reply.body['status'], 400);
  return (reply.body['errors'] ?? []) as Errors;
}

test('an unknown field is refused by its name, and so is a missing one', async () => {
  const client = { program_id: api.own, environment: 'sandbox', name: 'x' };
  assert.deepEqual(await wrongIn('POST /clients', { ...client, scopes: ['a'] }), [
    { pointer: '/scopes', detail: 'is not known here' },
  ]);
  assert.deepEqual(await wrongIn('POST /clients', { program_id: api.own, name: 'x' }), [
    { pointer: '/environment', detail: 'is missing' },
  ]);
  assert.deepEqual(await wrongIn('GET /programs?sort=name'), [
    { parameter: 'sort', detail: 'is not known here' },
  ]);
});

test('a name that every object has is as unknown as any other', async () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.deepEqual(await wrongIn(`GET /programs?${name}=x`), [
      { parameter: name, detail: 'is not known here' },
    ]);
    assert.deepEqual(await wrongIn('POST /programs', `{"name":"x","${name}":{"name":"y"}}`), [
      { pointer: `/${name}`, detail: 'is not known here' },
    ]);
  }
});

test('a field with a choice of values is wrong once, and the values are named', async () => {
  assert.deepEqual(await wrongIn('POST /operators', { name: 'x', role: 'king' }), [
    { pointer: '/role', detail: 'must be one of admin, support, auditor, partner' },
  ]);
});

test('nothing is coerced but what a query spells', async () => {
  const client = { program_id: api.own, environment: 'sandbox', name: 'x' };
  const fields = async (more: object) =>
    (await wrongIn('POST /clients', { ...client, ...more })).map(({ pointer }) => pointer);
  assert.deepEqual(await fields({ token_lifetime_seconds: '3600' }), ['/token_lifetime_seconds']);
  assert.deepEqual(await fields({ resource_server: 'true' }), ['/resource_server']);
  assert.deepEqual(await fields({ name: 7 }), ['/name']);
  assert.deepEqual(await fields({ scope: 'a:read' }), ['/scope']);
  assert.deepEqual(await fields({ scope: [1] }), ['/scope/0']);
  assert.deepEqual((await wrongIn('GET /programs?limit=ten'))[0]?.parameter, 'limit');
  assert.deepEqual((await wrongIn('GET /programs?limit=0'))[0]?.parameter, 'limit');
  assert.deepEqual((await wrongIn('GET /programs?limit=201'))[0]?.parameter, 'limit');
  assert.deepEqual((await wrongIn('GET /programs?limit=1&limit=2'))[0]?.parameter, 'limit');
});

test('what an operation refuses is said in the terms of the body', async () => {
  const client = { program_id: api.own, environment: 'sandbox', name: 'x' };
  const [address] = await wrongIn('POST /clients', { ...client, allow_ip: ['10.0.0.0/99'] });
  assert.equal(address?.pointer, '/allow_ip');
  assert.match(address?.detail ?? '', /^allow_ip must be an address/);
  const [past] = await wrongIn('POST /clients', { ...client, expires_at: '2001-01-01' });
  assert.equal(past?.pointer, '/expires_at');
  const [when] = await wrongIn('POST /clients', { ...client, expires_at: 'soon' });
  assert.equal(when?.pointer, '/expires_at');
  const [name] = await wrongIn('POST /programs', { name: ' ' });
  assert.deepEqual([name?.pointer, name?.detail], ['/name', 'name must not be empty']);
});

test('a body must be JSON, said to be JSON, and an object without repeated members', async () => {
  for (const body of ['', '{', '[]', '"x"', 'null', '{"name":"a","name":"b"}']) {
    const reply = await api.ask('admin', 'POST /programs', {
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(reply.status, 400, body);
  }
  const form = { body: 'name=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
  assert.equal((await api.ask('admin', 'POST /programs', form)).status, 415);
  const stray = { body: { kill: true } };
  assert.equal((await api.ask('admin', `POST /programs/${api.own}/reactivate`, stray)).status, 400);
});

test('a token in the URL is refused, and nothing that was sent is repeated', async () => {
  const reply = await api.ask('admin', `GET /programs?access_token=${api.tokens.admin}`);
  assert.equal(reply.status, 400);
  const misplaced = await api.ask('admin', `GET /clients/${api.tokens.support}`);
  assert.equal(misplaced.status, 404);
  const named = await api.ask('admin', 'POST /programs', {
    body: { name: 'x', [api.tokens.support]: 1 },
  });
  for (const { body } of [reply, misplaced, named]) {
    assert.ok(!JSON.stringify(body).includes(api.tokens.support.slice(12, 40)));
  }
});

test('what the HTTP layer refuses is a problem too, and the token endpoint keeps the form of OAuth', async () => {
  const nowhere = await api.ask('admin', 'GET /nowhere');
  assert.equal(nowhere.status, 404);
  assert.equal(nowhere.headers.get('content-type'), 'application/problem+json');
  const method = await api.ask('admin', 'DELETE /programs');
  assert.deepEqual([method.status, method.headers.get('allow')], [405, 'GET, HEAD, POST']);
  assert.equal(method.body['status'], 405);
  const token = await fetch(api.url.replace(/v1$/, 'token'), { method: 'POST' });
  assert.ok('error' in ((await token.json()) as object));
});

test('without a good token nothing is told', async () => {
  const bare = await api.ask(undefined, 'GET /programs');
  assert.equal(bare.headers.get('www-authenticate'), 'Bearer realm="countersign-admin"');
  for (const token of ['nonsense', `${api.tokens.admin}x`]) {
    const headers = { Authorization: `Bearer ${token}` };
    const reply = await api.ask(undefined, 'GET /programs', { headers });
    assert.equal(reply.status, 401);
    assert.match(reply.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  }
});
