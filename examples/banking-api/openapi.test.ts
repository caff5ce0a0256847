/** The description at /openapi.json, held against the API that it describes: every operation, every status, every scope. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { newClient, onboard, SCOPES, tokenOf } from './test-kit/authority.ts';
import { type Bank, openBank, type Reply, startBankingApi } from './test-kit/bank.ts';
import { mismatch, type Schema } from './test-kit/json-schema.ts';

type Operation = {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly { readonly name: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { content: Readonly<Record<string, { schema: Schema }>> }>
  >;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

let bank: Bank;
let document: Document;
let token: string;
/** By scope: a token with it alone, and one with every other. */
const tokens = new Map<string, { readonly only: string; readonly others: string }>();
let account: string;

before(async () => {
  bank = await openBank();
  document = (await bank.api.call('/openapi.json')).body as never;
  const programId = await onboard(bank.authority, 'Partner');
  const client = await newClient(bank.authority, { programId });
  token = await tokenOf(bank.issuer, client);
  for (const scope of SCOPES) {
    tokens.set(scope, {
      only: await tokenOf(bank.issuer, client, [scope]),
      others: await tokenOf(
        bank.issuer,
        client,
        SCOPES.filter((other) => other !== scope),
      ),
    });
  }
  const { body } = await bank.api.call('/v1/accounts?limit=1', { token });
  account = (body['data'] as readonly { account_id: string }[])[0]!.account_id;
});
after(() => bank?.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const [scope] = operation.security[0]?.['program'] ?? [];
      return { path, method: method.toUpperCase(), scope, operation };
    }),
  );

type Described = ReturnType<typeof operations>[number];
type Request = NonNullable<Parameters<Bank['api']['call']>[1]> & { readonly path?: string };

const BODIES: Readonly<Record<string, unknown>> = {
  addProfile: { name: 'Cleo', email: 'cleo@example.com' },
  pay: { amount_cents: 100_000_000_000, description: 'Prize' },
};
let keys = 0;

/** Makes a request as the description says, with what a test wants otherwise. */
const ask = (described: Described, otherwise: Request = {}, api = bank.api): Promise<Reply> => {
  const { path, method, operation } = described;
  const json = BODIES[operation.operationId];
  assert.equal(json !== undefined, operation.requestBody !== undefined, operation.operationId);
  const isOnce = operation.parameters.some(({ name }) => name === 'Idempotency-Key');
  return api.call(otherwise.path ?? path.replace('{account_id}', account), {
    ...{ token, method, json, key: isOnce ? `key-${keys++}` : undefined },
    ...otherwise,
  });
};

/** Statuses and problems that were answered, by operation. */
const answered = new Map<string, Set<string>>();

/** Holds an answer against its description, and returns it. */
const held = async (
  described: Described,
  otherwise?: Request,
  api?: Bank['api'],
): Promise<Reply> => {
  const { operationId, responses } = described.operation;
  const reply = await ask(described, otherwise, api);
  const said = `${operationId} ${reply.status} ${JSON.stringify(reply.body)}`;
  const [[type, { schema }] = assert.fail(said)] = Object.entries(
    responses[reply.status]?.content ?? {},
  );
  assert.equal(reply.headers.get('Content-Type'), type, said);
  assert.match(String(reply.headers.get('X-Request-Id')), /^req_\w{24}$/);
  assert.equal(mismatch(reply.body, schema, document.components.schemas), undefined, said);
  const seen = answered.get(operationId) ?? new Set();
  answered.set(operationId, seen.add(String(reply.body['type'] ?? reply.status)));
  return reply;
};

test('the description is valid OpenAPI 3.1, open to everybody, and the table of the README', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `(GET|POST) ([^`?]+)[^|]*\| (?:`(\S+)`|none) \|$/gm)];
  assert.deepEqual(
    rows.map(([, method, path, scope]) => [method, path, scope]).sort(),
    operations()
      .map(({ method, path, scope }) => [method, path, scope])
      .sort(),
  );
});

test('a route refuses a token without its scope and names it, and takes one with exactly that', async () => {
  for (const described of operations()) {
    const { scope, operation } = described;
    if (scope === undefined) continue;
    const { only, others } = tokens.get(scope)!;
    const refused = await held(described, { token: others });
    assert.deepEqual([refused.status, refused.body['error']], [403, 'insufficient_scope']);
    const challenge = String(refused.headers.get('WWW-Authenticate'));
    assert.ok(challenge.endsWith(`, scope="${scope}"`), `${operation.operationId}: ${challenge}`);
    const taken = await held(described, { token: only });
    assert.equal(taken.status, operation.requestBody === undefined ? 200 : 201);
  }
});

test('every answer is as described, and every answer that is described is given', async () => {
  for (const described of operations()) {
    const { path, scope, operation } = described;
    const here = path.replace('{account_id}', account);
    await held(described);
    if (scope === undefined) continue;
    await held(described, { token: undefined });
    await held(described, { token: 'nonsense' });
    await held(described, { path: `${here}?access_token=x` });
    if (path !== here) await held(described, { path: path.replace('{account_id}', 'nobody') });
    if (operation.requestBody === undefined) continue;
    await held(described);
    await held(described, { headers: { 'Content-Type': 'text/plain' } });
    await held(described, { json: 'x'.repeat(20_000) });
    await held(described, { json: {} });
  }
  const pay = operations().find(({ operation }) => operation.operationId === 'pay')!;
  const less = { amount_cents: -1, description: 'Less' };
  await held(pay, { key: 'k' });
  await held(pay, { key: 'k', json: less });
  const spend = { ...less, amount_cents: -100_000_000_000 };
  for (let n = 0; n < 11; n++) await held(pay, { json: spend });
  for (let n = 0; n < 11; n++) await held(pay);
  await duringOutage();

  for (const { operation } of operations()) {
    const types = Object.entries(operation.responses).flatMap(([status, { content }]) => {
      const { schema } = Object.values(content)[0]!;
      return schema.properties?.['type']?.enum ?? [status];
    });
    // A fault of the API's own can only be planted, and what is under way has a test of its own.
    const untold = ['urn:example:bank:failed', 'urn:example:bank:key-under-way'];
    assert.deepEqual(
      [...(answered.get(operation.operationId) ?? [])].sort(),
      types.filter((type) => !untold.includes(String(type))).sort(),
      operation.operationId,
    );
  }
});

/** The same routes where no authority can be asked. */
async function duringOutage(): Promise<void> {
  const api = await startBankingApi({
    issuer: 'http://127.0.0.1:1/sandbox',
    folder: join(bank.authority.folder, 'outage'),
    credentials: bank.credentials,
  });
  try {
    for (const described of operations()) {
      const { status, headers } = await held(described, {}, api);
      if (described.scope === undefined) assert.equal(status, 200);
      else assert.deepEqual([status, headers.get('Retry-After')], [503, '1']);
    }
  } finally {
    await api.process.stop();
  }
}

test('a path answers the described methods and no other, and nothing else is a path', async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const here = path.replace('{account_id}', account);
    const reply = await bank.api.call(here, { token, method: 'DELETE' });
    assert.deepEqual([reply.status, reply.body['status']], [405, 405]);
    const allowed = Object.keys(methods).map((method) =>
      method === 'get' ? 'GET, HEAD' : method.toUpperCase(),
    );
    assert.equal(reply.headers.get('Allow'), allowed.sort().join(', '));
    for (const near of [`${here}/`, `${here}x/y`, here.slice(0, -1)]) {
      const { status } = await bank.api.call(near, { token });
      // The end of an id is an id: there is no such account.
      assert.equal(status, 404, near);
    }
  }
});
