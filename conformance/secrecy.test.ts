import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  type Client,
  credentialsOf,
  declareScopes,
  grantOf,
  introspect,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';
import { core, filesWith } from './planted.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';

const authority = await startAuthority({ variables: { COUNTERSIGN_LOG_LEVEL: 'debug' } });
after(() => authority.stop());
await declareScopes(authority, ['accounts:read']);
const program = await newProgram(authority);
const [client, live, server] = await Promise.all([
  newClient(authority, program, { scope: 'accounts:read' }),
  newClient(authority, program, { environment: 'production' }),
  newClient(authority, program, { isResourceServer: true }),
]);

/** Every secret and token of the run. Enough of each that no chance produces it: what is searched for is its middle. */
const planted: string[] = [];
/** Words that commands printed to their own terminal, where a new secret stands once by design. */
let printed = '';

function plant(value: unknown): string {
  assert.ok(typeof value === 'string' && value.length > 40, 'a secret or a token');
  planted.push(value);
  return value;
}

async function printing(...args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await authority.command(...args);
  printed += stdout + stderr;
}

async function refusals(of: Client): Promise<void> {
  const { client_id, client_secret } = credentialsOf(of);
  const valid = new URLSearchParams(grantOf(of)).toString();
  const url = of.token_endpoint;
  const pair = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  const sent = { from: freshAddress() };
  const bodies = [
    `${valid}&client_secret=${client_secret}`,
    `${valid}&${client_secret}=1&${client_secret}=2`,
    `client_id=${client_secret}&client_secret=${client_id}&grant_type=client_credentials`,
    `client_id=${client_id}&client_secet=${client_secret}&grant_type=client_credentials`,
    `client_id=${client_id}&client_secret=${client_secret}x&grant_type=client_credentials`,
    `${valid}&scope=${client_secret}`,
    `${valid}&resource=${client_secret}`,
    `client_id=${client_id}&client_secret=${client_secret}&grant_type=${client_secret}`,
    `${valid}&foo=%zz`,
    `${valid}&x=`.padEnd(10_000, 'a'),
    `${valid}${'&a=1'.repeat(100)}`,
  ];
  for (const body of bodies) await post(url, body, sent);
  await post(`${url}?${valid}`, valid, sent);
  await send(`${url}?${valid}`, sent);
  await send(`${url}/${client_secret}`, sent);
  await post(url, 'grant_type=client_credentials', {
    headers: { Authorization: `Basic ${pair}` },
    ...sent,
  });
  await post(url, valid, { headers: { Authorization: `Bearer ${client_secret}` }, ...sent });
  await post(url, JSON.stringify(grantOf(of)), {
    headers: { 'Content-Type': 'application/json' },
    ...sent,
  });
  await post(url, valid, {
    headers: { 'X-Forwarded-For': client_secret, 'X-Request-Id': client_secret },
    ...sent,
  });
  const { pathname } = new URL(url);
  const host = `Host: 127.0.0.1:${authority.port}`;
  await rawExchange(
    authority.port,
    rawRequest(`POST ${pathname}`, [host, `${client_secret} : x`], valid),
  );
  await rawExchange(authority.port, `${client_secret}\r\n\r\n`);
}

test('T-68, T-41: no secret and no token of a busy run stands in the log, in an error, in a command’s output or in any file', async () => {
  for (const { client_secret } of [client, live, server]) plant(client_secret);
  const tokens: string[] = [];
  for (let n = 0; n < 20; n += 1) tokens.push(plant(await tokenOf(client)));
  const [token = '', revoked = '', exposed = '', inspected = ''] = tokens;
  tokens.push(plant(await tokenOf(live)));

  await refusals(client);
  await refusals({ ...live, token_endpoint: client.token_endpoint });
  await introspect(server, token);
  await introspect(server, `${token}x`);
  await revoke(client, revoked);
  await revoke(server, token);
  await revoke(client, client.client_secret);
  const own = new URLSearchParams(credentialsOf(client)).toString();
  for (const endpoint of ['introspect', 'revoke', 'token']) {
    const url = `${authority.issuer()}/${endpoint}`;
    await post(`${url}?token=${exposed}&access_token=${exposed}`, own);
    await post(url, `${own}&token=${token}&token=${token}`);
    await post(url, `${own}&${token}=1&${token}=2`);
    await post(url, own, { headers: { Authorization: `Bearer ${token}` } });
    await send(`${url}?access_token=${token}`);
  }

  const leaks = `${authority.issuer()}/leaks`;
  const reported = plant(await tokenOf(client));
  for (const text of [reported, server.client_secret, `${reported}x`]) {
    await post(leaks, { credentials: text }, { from: freshAddress() });
    await post(leaks, `${text}=${text}`, { from: freshAddress() });
    await post(`${leaks}?credentials=${text}&token=${text}`, 'a=b', { from: freshAddress() });
    await send(leaks, {
      method: 'POST',
      from: freshAddress(),
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ credentials: [text], [text]: text }),
    });
  }

  const id = client.client_id;
  plant((await authority.cli('secret', 'create', id))['client_secret']);
  plant((await authority.cli('secret', 'rotate', id, '--overlap', '0s'))['client_secret']);
  await printing('secret', 'list', client.client_id);
  await printing('client', 'show', client.client_id);
  await printing('client', 'list', '--json');
  await printing('token', 'inspect', inspected);
  await printing('token', 'revoke', inspected, '--json');
  await printing('token', 'list', '--client', client.client_id, '--json');
  await printing('program', 'show', program);
  await printing('audit', 'list', '--json');
  await printing('explain', server.client_secret);
  await printing('client', 'show', client.client_secret);
  await printing('secret', 'revoke', client.client_secret);
  await printing('client', 'suspend', client.client_id, '--reason', 'leaked');
  await askToken(client, {}, { from: freshAddress() });
  await authority.kill();
  await authority.start();

  const outputs = authority.written() + printed;
  assert.match(outputs, /refused/, 'the log says what happened');
  for (const value of planted) {
    const at = outputs.indexOf(core(value));
    assert.equal(at, -1, `in an output: ${outputs.slice(at - 200, at).slice(-200)}[…]`);
  }
  assert.equal(planted.length > 20, true);
  assert.deepEqual(filesWith(authority.directories, planted.map(core)), []);
});

test('T-68: the search would find a credential if one stood there', () => {
  assert.ok(authority.written().includes(client.client_id), 'what may be logged is found');
  assert.notDeepEqual(
    filesWith(authority.directories, [client.client_id]),
    [],
    'what may be stored is found',
  );
});

test('T-29: of a secret that stood in a URL operators are told, and it still works until they rotate it', async () => {
  const exposed = await newClient(authority, program);
  const body = new URLSearchParams(grantOf(exposed)).toString();
  const reply = await post(`${exposed.token_endpoint}?${body}`, body);
  assert.equal(reply.status, 400);
  const isTold = (): boolean =>
    authority
      .written()
      .split('\n')
      .some((line) => line.includes(exposed.client_id) && line.includes('stood in a URL'));
  for (let tries = 0; tries < 100 && !isTold(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(isTold());
  assert.equal((await askToken(exposed)).status, 200);
  const listed = JSON.stringify(await authority.list('secret', 'list', exposed.client_id));
  assert.match(listed, /"exposed_at[a-z_]*":"?\d/);
});
