import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { freshAddress, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { introspect, newClient, newProgram, tokenOf } from './onboarding.ts';
import type { Reply } from './reply.ts';

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' });

/** As GitHub publishes its keys; answers what it is told to. */
let asked = 0;
let isOut = true;
const keyServer = createServer((_request, response) => {
  asked += 1;
  if (isOut) {
    response.writeHead(500).end();
    return;
  }
  const key = (name: string, of: KeyObject) => ({
    key_identifier: name,
    key: pem(of),
    is_current: true,
  });
  const public_keys = [key('current', signer.publicKey), key('p384', otherCurve.publicKey)];
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ public_keys }));
});
await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
const keysUrl = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/`;

const authority = await startAuthority({ variables: { COUNTERSIGN_GITHUB_KEYS: keysUrl } });
after(async () => {
  await authority.stop();
  keyServer.close();
});
const program = await newProgram(authority);
const server = await newClient(authority, program, { isResourceServer: true });

type Signed = {
  readonly by?: KeyObject;
  readonly name?: string;
  readonly body?: string;
  readonly from?: string | undefined;
};

function alert(
  alerts: unknown,
  { by = signer.privateKey, name = 'current', body, from = freshAddress() }: Signed = {},
): Promise<Reply> {
  const text = JSON.stringify(alerts);
  const signature = sign('sha256', Buffer.from(text), by).toString('base64');
  return send(`${authority.issuer()}/leaks/github`, {
    method: 'POST',
    from,
    headers: {
      'Content-Type': 'application/json',
      'Github-Public-Key-Identifier': name,
      'Github-Public-Key-Signature': signature,
    },
    body: body ?? text,
  });
}

const place =
  'https://github.com/octocat/hello/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo.txt';
const found = (token: string) => ({ token, type: 'countersign', url: place, source: 'content' });

test('while the keys cannot be had an alert is answered 503, never taken and never refused as forged', async () => {
  const token = await tokenOf(await newClient(authority, program));
  const reply = await alert([found(token)]);
  assert.equal(reply.status, 503);
  assert.equal((await introspect(server, token)).json()['active'], true);
  assert.equal((await alert([found(token)])).status, 503);
  assert.equal(asked, 1, 'nobody makes the authority ask again and again');
  // It asks again after its interval, or after a restart.
  isOut = false;
  await authority.kill();
  await authority.start();
});

test('a signed alert kills and flags, and is told of each credential whether it is one of ours', async () => {
  const client = await newClient(authority, program);
  const token = await tokenOf(client);
  const dead = await tokenOf(client);
  await authority.cli('token', 'revoke', dead);
  const texts = [
    token,
    dead,
    client.client_secret,
    `${token.slice(0, -1)}x`,
    'NMIfyYncKcRALEXAMPLE',
  ];
  const reply = await alert(texts.map(found));
  assert.equal(reply.status, 200);
  const labels = JSON.parse(reply.body) as readonly Record<string, unknown>[];
  const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.deepEqual(labels, [
    ...[token, dead, client.client_secret].map((text) => ({
      token_hash: hashOf(text),
      token_type: 'countersign',
      label: 'true_positive',
    })),
    ...texts.slice(3).map((text) => ({
      token_hash: hashOf(text),
      token_type: 'countersign',
      label: 'false_positive',
    })),
  ]);
  assert.equal((await introspect(server, token)).json()['active'], false);
  const [secret] = await authority.list('secret', 'list', client.client_id);
  assert.notEqual(secret?.['exposed_at'], undefined);
  const lines = await authority.list('audit', 'list', '--limit', '1000');
  const line = lines.findLast(({ action }) => action === 'secret.expose');
  assert.equal(line?.['actor'], 'leak-scanner:github');
  assert.ok(
    JSON.stringify(line).includes(place),
    'people must find the place to have it taken down',
  );
});

test('nobody else is told anything: an alert unsigned, altered, or signed by another key is refused and causes nothing', async () => {
  const token = await tokenOf(await newClient(authority, program));
  const alerts = [found(token)];
  const replies = [
    await alert(alerts, { by: stranger.privateKey }),
    await alert(alerts, { by: otherCurve.privateKey, name: 'p384' }),
    await alert(alerts, { name: 'unknown' }),
    await alert(alerts, { body: ` ${JSON.stringify(alerts)}` }),
    await send(`${authority.issuer()}/leaks/github`, {
      method: 'POST',
      from: freshAddress(),
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(alerts),
    }),
  ];
  for (const reply of replies) {
    assert.equal(reply.status, 403, reply.body);
    assert.ok(!reply.body.includes('positive'));
  }
  assert.equal((await introspect(server, token)).json()['active'], true);
});

test('a message of a thousand matches is taken whole, and one that is no alert is refused', async () => {
  const many = Array.from({ length: 1_000 }, (_, n) => found(`NMIfyYncKcRALEXAMPLE${n}`));
  const reply = await alert(many);
  assert.equal(reply.status, 200);
  assert.equal((JSON.parse(reply.body) as unknown[]).length, 1_000);
  for (const senseless of [{}, [1], [null], [{ token: 1, type: 'x' }], 'x']) {
    assert.equal((await alert(senseless)).status, 400);
  }
  assert.deepEqual(JSON.parse((await alert([])).body), []);
});

test('whoever has made up many signatures has no more of them checked, and its sender is held up by nobody', async () => {
  const from = freshAddress();
  const forged: number[] = [];
  for (let n = 0; n < 40; n += 1) {
    forged.push((await alert([], { from, by: stranger.privateKey })).status);
  }
  assert.equal(forged[0], 403);
  assert.equal(forged.at(-1), 429);
  assert.equal((await alert([], { from })).status, 429, 'not even a good one is looked at');
  // Where the system has one loopback address alone, this is the same caller.
  if (from !== undefined) assert.equal((await alert([])).status, 200);
});
