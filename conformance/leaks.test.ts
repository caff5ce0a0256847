import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, type Sending, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, type Client, introspect, newClient, newProgram, tokenOf } from './onboarding.ts';
import type { Reply } from './reply.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const server = await newClient(authority, program, { isResourceServer: true });
const url = `${authority.issuer()}/leaks`;

const report = (credentials: string, sending: Sending = { from: freshAddress() }): Promise<Reply> =>
  post(url, { credentials }, sending);

const reportJson = (body: unknown): Promise<Reply> =>
  send(url, {
    method: 'POST',
    from: freshAddress(),
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never: ${what}`);
}

const isActive = async (token: string): Promise<boolean> =>
  (await introspect(server, token)).json()['active'] === true;

const secretOf = async (client: Client) =>
  (await authority.list('secret', 'list', client.client_id))[0] ?? assert.fail('it has a secret');

/** Until all that was reported before has been worked on: what comes later is worked on later. */
async function worked(): Promise<void> {
  const mark = await tokenOf(await newClient(authority, program));
  await report(mark);
  await eventually('the mark is dead', async () => !(await isActive(mark)));
}

const head = async (): Promise<number> =>
  Math.max(
    ...(await authority.list('audit', 'list', '--limit', '1000')).map((it) =>
      Number(it['sequence']),
    ),
  );

test('whoever presents a live token kills it, and it says nothing of it', async () => {
  const client = await newClient(authority, program);
  const [token, other] = [await tokenOf(client), await tokenOf(client)];
  const reply = await report(token);
  assert.equal(reply.status, 202);
  assert.equal(reply.body, '{"status":"taken"}');
  await eventually('the token is dead', async () => !(await isActive(token)));
  assert.equal(await isActive(other), true, 'that one and no other');
  assert.equal((await askToken(client)).status, 200);
  const lines = await authority.list('audit', 'list', '--limit', '1000');
  const line = lines.findLast(({ action }) => action === 'token.revoke');
  assert.equal(line?.['actor'], 'leak-report');
  await eventually('what every node confirmed is on record', async () =>
    (await authority.list('audit', 'list', '--limit', '1000')).some(
      ({ action, actor }) => action === 'receipt' && actor === 'leak-report',
    ),
  );
  assert.ok(authority.written().includes('was reported as leaked and revoked'));
});

test('a live secret is marked as exposed, found without a word of whose it is, and works on: no stranger stops a client', async () => {
  const client = await newClient(authority, program);
  assert.equal((await report(client.client_secret)).status, 202);
  await eventually(
    'it is flagged',
    async () => (await secretOf(client))['exposed_at'] !== undefined,
  );
  assert.equal((await askToken(client)).status, 200);
  const shown = await authority.cli('client', 'show', client.client_id);
  assert.equal(
    (shown['client'] as Record<string, unknown> | undefined)?.['state'] ?? shown['state'],
    'active',
  );
});

test('by policy the secret is revoked with its tokens, or its client is suspended', async () => {
  const [revoked, suspended] = await Promise.all([
    newClient(authority, program),
    newClient(authority, program),
  ]);
  const token = await tokenOf(revoked);
  await authority.cli('policy', 'set', 'leaked-secret', 'revoke');
  await report(revoked.client_secret);
  await eventually(
    'it is revoked',
    async () => (await secretOf(revoked))['revoked_at'] !== undefined,
  );
  assert.equal((await askToken(revoked, {}, { from: freshAddress() })).status, 401);
  await eventually('its token is dead', async () => !(await isActive(token)));
  await authority.cli('policy', 'set', 'leaked-secret', 'suspend-client');
  await report(suspended.client_secret);
  await eventually(
    'it is refused',
    async () => (await askToken(suspended, {}, { from: freshAddress() })).status === 401,
  );
  const lines = await authority.list('audit', 'list', '--limit', '1000');
  assert.equal(
    lines.findLast(({ action }) => action === 'client.suspend')?.['actor'],
    'leak-report',
  );
  await authority.cli('policy', 'set', 'leaked-secret', 'flag');
});

test('a secret is found after its pepper was rotated, whether it has moved or not', async () => {
  const [moved, resting] = await Promise.all([
    newClient(authority, program),
    newClient(authority, program),
  ]);
  await authority.cli('keys', 'rotate', '--environment', 'sandbox', '--purpose', 'secret');
  assert.equal((await askToken(moved)).status, 200);
  await report(`${moved.client_secret}\n${resting.client_secret}\n`);
  for (const client of [moved, resting]) {
    await eventually(
      'it is flagged',
      async () => (await secretOf(client))['exposed_at'] !== undefined,
    );
  }
});

test('the tag says whose it is: a credential of another environment is killed there', async () => {
  const live = await newClient(authority, program, { environment: 'production' });
  const token = await tokenOf(live);
  const judge = await newClient(authority, program, {
    environment: 'production',
    isResourceServer: true,
  });
  await report(`${token} ${live.client_secret}`);
  await eventually(
    'it is dead',
    async () => (await introspect(judge, token)).json()['active'] === false,
  );
  await eventually('it is flagged', async () => (await secretOf(live))['exposed_at'] !== undefined);
});

test('live, dead, forged and senseless credentials get the same answer, byte for byte, in a form and in JSON', async () => {
  const client = await newClient(authority, program);
  const token = await tokenOf(client);
  const dead = await tokenOf(client);
  await authority.cli('token', 'revoke', dead);
  const forged = `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`;
  const replies: Reply[] = [];
  for (const text of [
    token,
    dead,
    forged,
    client.client_secret,
    'hello',
    `${token} ${dead} hello`,
  ]) {
    replies.push(await report(text), await reportJson({ credentials: [text] }));
  }
  replies.push(await reportJson({ credentials: token }));
  const seen = replies.map(({ status, headers, body }) => {
    const { date: _date, 'x-request-id': id, ...same } = headers;
    return JSON.stringify({ status, same, body, form: (id ?? '').replace(/[0-9a-z]+$/, '') });
  });
  assert.equal(new Set(seen).size, 1, [...new Set(seen)].join('\n'));
});

test('only what verifies and is not yet dead causes a write', async () => {
  const client = await newClient(authority, program);
  const dead = await tokenOf(client);
  await authority.cli('token', 'revoke', dead);
  await report(client.client_secret);
  await worked();
  const before = await head();
  const forged = `${dead.slice(0, 30)}${dead[30] === 'A' ? 'B' : 'A'}${dead.slice(31)}`;
  for (let n = 0; n < 5; n += 1) {
    await report([dead, forged, client.client_secret, client.client_id, 'x'.repeat(200)].join(' '));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(await head(), before);
});

test('what is no report is refused at once, and says what would be one', async () => {
  const many = Array.from({ length: 51 }, (_, n) => `c${n}`).join(' ');
  const cases: readonly (readonly [Promise<Reply>, number])[] = [
    [report(''), 400],
    [report(many), 400],
    [post(url, { credential: 'x' }, { from: freshAddress() }), 400],
    [reportJson('{'), 400],
    [reportJson({ credentials: [1] }), 400],
    [reportJson([]), 400],
    [reportJson(null), 400],
    [
      send(url, {
        method: 'POST',
        from: freshAddress(),
        headers: { 'Content-Type': 'text/plain' },
        body: 'x',
      }),
      415,
    ],
    [send(url, { from: freshAddress() }), 405],
    [post(`${url}/github`, '[]', { from: freshAddress() }), 404],
  ];
  for (const [reply, status] of cases) assert.equal((await reply).status, status);
});

test('an address that reports without end is told to wait, and neither /token nor another address notices', async () => {
  const client = await newClient(authority, program);
  const from = freshAddress();
  const replies = await Promise.all(Array.from({ length: 60 }, () => report('hello', { from })));
  const statuses = replies.map(({ status }) => status);
  assert.ok(statuses.filter((status) => status === 202).length >= 30, 'a burst is taken');
  const refused = replies.find(({ status }) => status === 429);
  assert.ok(Number(refused?.headers['retry-after']) >= 1);
  assert.equal((await askToken(client, {}, { from })).status, 200);
  assert.equal((await report('hello')).status, 202);
});

test('a secret and a token in a URL go the same way, whoever’s they are', async () => {
  const client = await newClient(authority, program);
  const token = await tokenOf(client);
  const tokenUrl = `${authority.issuer()}/token`;
  await post(`${tokenUrl}?client_secret=${client.client_secret}`, 'grant_type=client_credentials', {
    from: freshAddress(),
  });
  await post(`${authority.issuer()}/introspect?access_token=${token}`, 'a=b', {
    from: freshAddress(),
  });
  await eventually(
    'it is flagged without a client_id',
    async () => (await secretOf(client))['exposed_at'] !== undefined,
  );
  await eventually('it is dead', async () => !(await isActive(token)));
  const asked = await newClient(authority, program);
  const reply = await send(`${tokenUrl}?client_id=x&client_secret=${asked.client_secret}`, {
    from: freshAddress(),
  });
  assert.equal(reply.status, 405);
  await eventually(
    'it is flagged, though the method was wrong',
    async () => (await secretOf(asked))['exposed_at'] !== undefined,
  );
  await authority.cli('policy', 'set', 'token-in-url', 'report');
  const spared = await tokenOf(client);
  await post(`${tokenUrl}?access_token=${spared}`, 'a=b', { from: freshAddress() });
  await worked();
  assert.equal(await isActive(spared), true, 'told, and left alive by policy');
  await authority.cli('policy', 'set', 'token-in-url', 'revoke');
});
