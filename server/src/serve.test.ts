import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commitAndAwait } from './operations/context.ts';
import { newDataDirectory } from './testing/data.ts';
import { asOperator, introspect, onboard, requestToken } from './testing/onboarding.ts';
import { startServer } from './testing/running-server.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs `serve` with what must not work and returns what it says; it has to end by itself. */
function refusedServe(...args: readonly string[]) {
  const data = newDataDirectory();
  const admin = ['--admin-listen', '127.0.0.1:0'];
  const run = spawnSync(process.execPath, [MAIN, 'serve', '--data', data, ...admin, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status: run.status, lastLine: run.stderr.trim().split('\n').at(-1) ?? '' };
}

test('a busy port is named, with the option that chooses another', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const { status, lastLine } = refusedServe('--listen', `127.0.0.1:${port}`);
  squatter.close();
  assert.equal(status, 1);
  assert.match(lastLine, new RegExp(`127\\.0\\.0\\.1:${port}.*--listen`));
});

test('plain HTTP where others could listen refuses to start and says the three ways out', () => {
  const { status, lastLine } = refusedServe('--listen', '0.0.0.0:18080');
  assert.equal(status, 1);
  assert.match(lastLine, /certificate.*proxy.*127\.0\.0\.1/);
});

test('a certificate that cannot be read refuses to start and names the file', () => {
  const none = join(newDataDirectory(), 'none.pem');
  const { status, lastLine } = refusedServe(
    ...['--listen', '127.0.0.1:18443', '--tls-certificate', none, '--tls-key', none],
  );
  assert.equal(status, 1);
  assert.match(lastLine, /none\.pem/);
});

test('with a certificate the authority speaks HTTPS alone, and its issuers say so', async (t) => {
  const data = newDataDirectory();
  const [cert, key] = [join(data, 'cert.pem'), join(data, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '2', '-keyout', key, '-out', cert, ...subject],
  ]);
  if (made.error !== undefined) {
    assert.equal(process.env['CI'], undefined, 'openssl is missing: install openssl');
    return t.skip('openssl is missing: install openssl to make a certificate');
  }
  const client = await asOperator(data, (context) => onboard(context));
  const tls = ['--tls-certificate', cert, '--tls-key', key];
  const server = await startServer(data, { args: tls, certificate: cert });
  const curl = (...args: readonly string[]) =>
    spawnSync('curl', ['-s', '--cacert', cert, ...args], { encoding: 'utf8' });
  const wellKnown = `${server.url}/.well-known/oauth-authorization-server/sandbox`;
  const { issuer } = JSON.parse(curl(wellKnown).stdout) as { issuer: string };
  assert.equal(issuer, `${server.url}/sandbox`);
  assert.match(issuer, /^https:/);
  const form = { client_id: client.clientId, client_secret: client.clientSecret };
  const body = new URLSearchParams({ ...form, grant_type: 'client_credentials' });
  const granted = curl('--data', body.toString(), `${issuer}/token`);
  assert.match(granted.stdout, /"access_token":"token_test_/);
  const plain = spawnSync('curl', ['-s', wellKnown.replace('https:', 'http:')]);
  assert.notEqual(plain.status, 0, 'plain HTTP gets no answer at all, and no redirect');
  assert.equal(await server.stop(), 0);
});

test('several workers share one address, decide alike, and stop together', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const server = await startServer(data, { args: ['--workers', '2'] });
    const registered = async () => (await context.nodes.list()).length;
    while ((await registered()) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const token = await requestToken(server.url, client);
    assert.ok(token);
    const { receipt } = await commitAndAwait(context, {
      kind: 'client.suspend',
      clientId: client.clientId,
      reason: 'leaked',
    });
    assert.equal(receipt.confirmed.length, 2);
    for (let asked = 0; asked < 10; asked += 1) {
      assert.equal(await introspect(server.url, asker, token), 'inactive');
    }
    assert.equal(await server.stop(), 0);
    assert.equal(await registered(), 0);
  });
});

test('a worker that is killed is replaced, and the others go on', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const server = await startServer(data, { args: ['--workers', '2'] });
    const pids = async () =>
      (await context.nodes.list()).map((row) => Number.parseInt(row.process, 10));
    while ((await pids()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const [victim = 0, survivor] = await pids();
    process.kill(victim, 'SIGKILL');
    const isReplaced = async () => {
      const now = await pids();
      return now.length === 2 && !now.includes(victim);
    };
    while (!(await isReplaced())) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok((await pids()).includes(survivor ?? 0));
    assert.ok(await requestToken(server.url, client));
    assert.equal(await server.stop(), 0);
  });
});

test('a stop answers the request under way before the process ends', async () => {
  const data = newDataDirectory();
  const client = await asOperator(data, (context) => onboard(context));
  const server = await startServer(data);
  const slow = spawn('curl', [
    ...[
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '--limit-rate',
      '200',
      '--data-binary',
      '@-',
    ],
    ...['-H', 'Content-Type: application/x-www-form-urlencoded', `${server.url}/sandbox/token`],
  ]);
  let status = '';
  slow.stdout.on('data', (text: Buffer) => {
    status += text.toString();
  });
  const form = { client_id: client.clientId, client_secret: client.clientSecret };
  slow.stdin.end(
    new URLSearchParams({
      ...form,
      grant_type: 'client_credentials',
      pad: 'x'.repeat(400),
    }).toString(),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await server.stop('SIGINT'), 0);
  if (slow.exitCode === null) await once(slow, 'exit');
  assert.equal(status, '200');
});

test('a second start finds everything as it was, on other ports too', async () => {
  const data = newDataDirectory();
  const client = await asOperator(data, (context) => onboard(context));
  const first = await startServer(data);
  const token = (await requestToken(first.url, client)) ?? '';
  await first.stop();
  const second = await startServer(data);
  assert.equal(await introspect(second.url, client, token), 'active');
  assert.ok(await requestToken(second.url, client));
  const metadata = await fetch(`${second.url}/.well-known/oauth-authorization-server/sandbox`);
  const { issuer } = (await metadata.json()) as { issuer: string };
  assert.equal(issuer, `${second.url}/sandbox`);
  await second.stop();
});

test('nothing of a secret or a token stands in what a server writes, even at level debug', async () => {
  const data = newDataDirectory();
  const client = await asOperator(data, (context) => onboard(context));
  const server = await startServer(data, { env: { COUNTERSIGN_LOG_LEVEL: 'debug' } });
  const token = (await requestToken(server.url, client)) ?? '';
  const wrong = { ...client, clientSecret: `${client.clientSecret.slice(0, -1)}x` };
  assert.equal(await requestToken(server.url, wrong), undefined);
  await fetch(`${server.url}/sandbox/token?client_secret=${client.clientSecret}`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: client.clientId }),
  });
  await fetch(`${server.url}/sandbox/introspect?token=${token}`, { method: 'POST' });
  await fetch(`${server.url}/${client.clientSecret}/${token}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await server.stop();
  assert.match(server.output(), /a live secret stood in a URL/);
  assert.match(server.output(), /a live token stood in a URL/);
  for (const planted of [client.clientSecret, wrong.clientSecret, token]) {
    assert.ok(!server.output().includes(planted.slice(0, -8)));
  }
});
