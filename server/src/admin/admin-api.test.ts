import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Compile } from 'typebox/schema';
import { OPERATORS, type Role } from '../ports/model.ts';
import { adminRoutes } from '../routes.ts';
import { ADMIN_ROUTES } from './admin-api.ts';
import { rolesWith } from './permissions.ts';
import type { AdminRoute } from './route.ts';
import { type Api, type Reply, startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

test('every route below /admin/v1 is in the table, and no two rows are one', () => {
  const environment = { name: 'admin', issuer: 'http://127.0.0.1:8081/admin' };
  const routes = adminRoutes({ authority: {} } as never, environment as never);
  const mounted = routes
    .filter(({ path }) => path.startsWith('/admin/v1/') && path !== '/admin/v1/openapi.json')
    .flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method} ${path}`));
  const rows = ADMIN_ROUTES.map(({ method, path }) => `${method} /admin/v1${path}`);
  assert.deepEqual([...mounted].sort(), [...rows].sort());
  assert.equal(new Set(rows).size, rows.length);
  assert.equal(new Set(ADMIN_ROUTES.map(({ operation }) => operation)).size, rows.length);
});

test('each role may do what the table says and is refused the rest, and nobody gets in without a token', async () => {
  for (const route of ADMIN_ROUTES) {
    const request = requestOf(route);
    const nobody = await api.ask(undefined, request, { body: bodyOf(route) });
    assert.equal(nobody.status, 401, request);
    for (const role of OPERATORS.roles) {
      const reply = await api.ask(role, request, { body: bodyOf(route) });
      const allowed: readonly Role[] = rolesWith(route.permission);
      if (allowed.includes(role)) {
        assert.ok(
          ![401, 403, 500, 503].includes(reply.status),
          `${role} ${request}: ${reply.status}`,
        );
        continue;
      }
      assert.equal(reply.status, 403, `${role} ${request}`);
      const challenge = reply.headers.get('www-authenticate') ?? '';
      assert.match(challenge, /^Bearer realm="countersign-admin", error="insufficient_scope"/);
      assert.ok(challenge.includes(`scope="${allowed.join(' ')}"`), challenge);
    }
  }
});

test('the glass is broken by a permission of its own: whoever may only reactivate is refused, whatever else is asked', async () => {
  const rows = ADMIN_ROUTES.filter(({ body }) => body?.properties['break_glass'] !== undefined);
  assert.deepEqual(rows.map(({ operation }) => operation).sort(), [
    ...['client.reactivate', 'policy.set', 'program.reactivate'],
  ]);
  for (const route of rows) {
    const body = {
      break_glass: true,
      reason: 'urgent',
      ...('value' in (route.body?.properties ?? {}) ? { value: '0' } : {}),
    };
    const statusOf = async (role: Role, sent: object) =>
      (await api.ask(role, requestOf(route), { body: sent })).status;
    for (const role of OPERATORS.roles) {
      const isAllowed = role === 'admin';
      assert.equal((await statusOf(role, body)) !== 403, isAllowed, `${role} ${route.operation}`);
    }
    const mayAct = rolesWith(route.permission).includes('support' as never);
    assert.equal((await statusOf('support', { ...body, break_glass: false })) !== 403, mayAct);
  }
});

test('whoever is bound to a program may use only rows that keep it there', () => {
  for (const route of ADMIN_ROUTES) {
    if (!rolesWith(route.permission).includes('partner')) continue;
    assert.notEqual(route.about, undefined, route.operation);
  }
});

test('the description is OpenAPI 3.1, public, and names every row with who may ask', async () => {
  const { status, body } = await api.ask(undefined, 'GET /openapi.json');
  assert.equal(status, 200);
  const { valid, errors } = await new Validator().validate(body);
  assert.ok(valid, JSON.stringify(errors));
  const paths = body['paths'] as Record<string, Record<string, { operationId: string }>>;
  const described = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  assert.deepEqual(described.sort(), ADMIN_ROUTES.map(({ operation }) => operation).sort());
});

test('what is answered is what the description promises', async () => {
  for (const [role, request, body] of await exchanges(api)) {
    const reply = await api.ask(role, request, { body });
    assert.ok(reply.status < 300, `${request}: ${JSON.stringify(reply.body)}`);
    const route = routeOf(request);
    const response = Compile(route.response);
    assert.ok(response.Check(reply.body), `${request}: ${JSON.stringify(reply.body)}`);
  }
});

/** A request with ids that do not exist. */
function requestOf({ method, path }: AdminRoute): string {
  const ids: Record<string, string> = {
    program_id: 'program_none',
    client_id: 'client_test_none',
    secret_id: 'sec_none',
    approval_id: 'approval_none',
    sequence: '999999',
  };
  return `${method} ${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'none')}`;
}

function bodyOf({ body }: AdminRoute): unknown {
  return body === undefined ? undefined : { wrong: true };
}

function routeOf(request: string): AdminRoute {
  const [method, url = ''] = request.split(' ');
  const path = url.split('?')[0] ?? '';
  const found = ADMIN_ROUTES.find(
    (route) =>
      route.method === method &&
      new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  assert.ok(found, request);
  return found;
}

/** One good request of nearly every row, as somebody who may. */
async function exchanges({ ask }: Api): Promise<readonly (readonly [Role, string, unknown?])[]> {
  const made = async (request: string, body: unknown): Promise<Reply['body']> =>
    (await ask('admin', request, { body })).body;
  const { program_id } = await made('POST /programs', { name: 'Acme' });
  await made('POST /scopes', { name: 'a:read', environment: 'sandbox' });
  const client = await made('POST /clients', {
    ...{ program_id, environment: 'sandbox', name: 'one', scope: ['a:read'] },
  });
  const { client_id, secret_id } = client;
  const operator = await made('POST /operators', { name: 'Bob', role: 'auditor' });
  const hook = await made('POST /webhooks', { target: 'http://127.0.0.1:9/', sends: 'audit' });
  const { webhook_id } = hook;
  assert.match(String(hook['secret']), /^whsec_/);
  return [
    ['auditor', 'GET /programs?limit=2'],
    ['support', 'POST /programs', { name: 'Other' }],
    ['auditor', `GET /programs/${program_id}`],
    ['support', `POST /programs/${program_id}/suspend`, { reason: 'leak' }],
    ['support', `POST /programs/${program_id}/reactivate`],
    ['auditor', 'GET /clients?environment=sandbox&state=active&name=ON'],
    ['auditor', `GET /clients/${client_id}`],
    ['support', `PATCH /clients/${client_id}`, { name: 'two', token_quota: 'none' }],
    ['support', `POST /clients/${client_id}/suspend`, { reason: 'leak' }],
    ['support', `POST /clients/${client_id}/reactivate`],
    ['auditor', `GET /clients/${client_id}/report?since=2026-01-01`],
    ['support', `POST /clients/${client_id}/suspend`, { reason: 'drill', until: '2h' }],
    ['support', `POST /clients/${client_id}/reactivate`, { reason: 'over' }],
    ['auditor', 'GET /dormant-clients?days=90'],
    ['support', 'POST /bulk/suspend-clients/preview', { where: [`program=${program_id}`] }],
    ['support', 'POST /bulk/suspend-clients', { where: ['name~two'], reason: 'leak' }],
    ['auditor', 'GET /approvals?all=true'],
    ['auditor', `GET /clients/${client_id}/secrets`],
    ['support', `POST /clients/${client_id}/secrets`, { name: 'blue', expires_at: '90d' }],
    ['support', `POST /secrets/${secret_id}/expire`, { at: '48h' }],
    ['support', `POST /clients/${client_id}/secrets/rotate`, { overlap: '0s' }],
    ['support', `POST /secrets/${secret_id}/revoke`, { kill_tokens: true }],
    ['auditor', `GET /clients/${client_id}/tokens`],
    ['support', 'POST /tokens/inspect', { token: 'nonsense' }],
    ['auditor', 'GET /scopes'],
    ['admin', 'POST /resources', { uri: 'https://api.bank.example', environment: 'sandbox' }],
    ['auditor', 'GET /resources'],
    ['auditor', 'GET /audit?limit=3&action=program.create'],
    ['auditor', 'GET /audit/verification'],
    ['auditor', 'POST /audit/checkpoints'],
    ['auditor', 'GET /audit/checkpoints?limit=1'],
    ['auditor', 'GET /audit/export?after=2&limit=3'],
    ['auditor', 'GET /webhooks'],
    ['auditor', `GET /webhooks/${webhook_id}`],
    ['admin', `POST /webhooks/${webhook_id}/test`],
    ['admin', `POST /webhooks/${webhook_id}/resume`],
    ['admin', `DELETE /webhooks/${webhook_id}`],
    ['admin', 'POST /webhooks', { target: 'http://127.0.0.1:9/', sends: 'notices' }],
    ['support', 'GET /receipts/1'],
    ['support', 'GET /nodes'],
    ['support', 'GET /doctor'],
    ['auditor', 'GET /policies'],
    ['admin', 'PUT /policies/token-in-url', { value: 'report' }],
    ['auditor', 'GET /keys'],
    ['admin', 'POST /keys/rotate', { environment: 'sandbox', purpose: 'token' }],
    [
      'admin',
      'POST /keys/retire-leaked',
      { environment: 'sandbox', version: 1, reason: 'seen in a dump' },
    ],
    ['auditor', 'GET /operators'],
    ['admin', `DELETE /operators/${operator['client_id']}`],
    ['admin', `DELETE /clients/${client_id}`],
  ];
}
