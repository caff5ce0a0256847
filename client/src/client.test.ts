import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  granted,
  type Scripted,
  type ScriptedServer,
  type Seen,
  startScriptedServer,
} from '../test-kit/scripted-server.ts';
import { type ClientOptions, createClient } from './create-client.ts';
import { TokenError } from './errors.ts';

const SECRET = 'secret_test_0000000000000000000000000000000000000000000000000';
const REFUSED: Scripted = { status: 401, json: { error: 'invalid_client' } };

/** Runs a test beside a server that grants tokens at /token and is the API everywhere else. */
async function withServer(
  answer: (request: Seen, server: ScriptedServer) => Scripted | undefined,
  body: (server: ScriptedServer, options: ClientOptions) => Promise<void>,
): Promise<void> {
  let tokens = 0;
  const server = await startScriptedServer((request, self) => {
    const scripted = answer(request, self);
    if (scripted !== undefined) return scripted;
    if (request.path !== '/token') return { json: { ok: true } };
    tokens += 1;
    return granted(`token-${tokens}`);
  });
  try {
    await body(server, {
      issuer: server.origin,
      tokenEndpoint: `${server.origin}/token`,
      clientId: 'client_test_0000000000000000',
      clientSecret: SECRET,
      api: server.origin,
    });
  } finally {
    await server.stop();
  }
}

test('fifty callers at once make one token request, and all of them carry that token', () =>
  withServer(
    ({ path }) => (path === '/token' ? { ...granted('one'), delayMs: 50 } : undefined),
    async (server, options) => {
      const client = createClient(options);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, at) => client.fetch(`${server.origin}/accounts/${at}`)),
      );
      assert.ok(answers.every(({ status }) => status === 200));
      assert.equal(server.count('/token'), 1);
      const calls = server.seen.filter(({ path }) => path.startsWith('/accounts/'));
      assert.ok(calls.every(({ authorization }) => authorization === 'Bearer one'));
    },
  ));

test('a 401 is answered by one more try with a new token, and a second 401 is handed over', () =>
  withServer(
    ({ path, authorization }) =>
      path === '/gone' || (path === '/once' && authorization === 'Bearer token-1')
        ? { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } }
        : undefined,
    async (server, options) => {
      const client = createClient(options);
      assert.equal((await client.fetch(`${server.origin}/once`)).status, 200);
      assert.equal(server.count('/once'), 2);
      assert.equal((await client.fetch(`${server.origin}/gone`)).status, 401);
      assert.equal(server.count('/gone'), 2);
      const text = { method: 'POST', body: 'again' };
      assert.equal((await client.fetch(`${server.origin}/gone`, text)).status, 401);
      assert.equal(server.count('/gone'), 4);
    },
  ));

test('fifty callers that are refused the same token make one token request between them', () =>
  withServer(
    ({ path, authorization }) =>
      path === '/accounts' && authorization === 'Bearer token-1' ? { status: 401 } : undefined,
    async (server, options) => {
      const client = createClient(options);
      await client.accessToken();
      const calls = Array.from({ length: 50 }, () => client.fetch(`${server.origin}/accounts`));
      const answers = await Promise.all(calls);
      assert.ok(answers.every(({ status }) => status === 200));
      assert.equal(server.count('/token'), 2);
    },
  ));

test('a body that can be read once is never sent twice', () =>
  withServer(
    ({ path }) => (path === '/upload' ? { status: 401 } : undefined),
    async (server, options) => {
      const client = createClient(options);
      const stream = { body: new Blob(['x']).stream(), method: 'POST', duplex: 'half' } as const;
      assert.equal((await client.fetch(`${server.origin}/upload`, stream)).status, 401);
      const request = new Request(`${server.origin}/upload`, { method: 'POST', body: 'x' });
      assert.equal((await client.fetch(request)).status, 401);
      assert.equal(server.count('/upload'), 2);
    },
  ));

test('a token crosses no redirect, and a secret none either', async () => {
  const elsewhere = await startScriptedServer(() => ({}));
  const moved = { status: 302, headers: { Location: `${elsewhere.origin}/take` } };
  await withServer(
    ({ path }) => (path === '/moved' || path === '/moved-token' ? moved : undefined),
    async (server, options) => {
      const answer = await createClient(options).fetch(`${server.origin}/moved`);
      assert.equal(answer.status, 302);
      const misled = createClient({ ...options, tokenEndpoint: `${server.origin}/moved-token` });
      await assert.rejects(misled.accessToken(), TokenError);
    },
  );
  assert.deepEqual(elsewhere.seen, []);
  await elsewhere.stop();
});

test('a token is sent to the API alone, over HTTPS or within this machine', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      const client = createClient(options);
      for (const url of [
        'https://elsewhere.example/',
        server.origin.replace('127.0.0.1', 'localhost'),
        server.origin.replace('http://', 'http://user:pass@'),
        'http://api.bank.example/',
        '/accounts',
      ]) {
        await assert.rejects(client.fetch(url), TypeError, url);
      }
      assert.deepEqual(server.seen, [], 'not even a token was asked for');
      for (const wrong of [
        { issuer: 'http://auth.bank.example' },
        { api: 'http://api.bank.example' },
        { api: [] },
        { tokenEndpoint: 'ftp://127.0.0.1/token' },
      ]) {
        assert.throws(() => createClient({ ...options, ...wrong }), TypeError);
      }
    },
  ));

test('an authority that is busy is asked again when it says, and not when that is too long', async () => {
  let busy = 2;
  await withServer(
    ({ path }) => {
      if (path === '/later') return { status: 429, headers: { 'Retry-After': '3600' } };
      if (path !== '/token' || busy === 0) return undefined;
      busy -= 1;
      return { status: 503, headers: { 'Retry-After': '0' } };
    },
    async (server, options) => {
      assert.equal((await createClient(options).fetch(`${server.origin}/accounts`)).status, 200);
      assert.equal(server.count('/token'), 3);
      const later = createClient({ ...options, tokenEndpoint: `${server.origin}/later` });
      await assert.rejects(later.accessToken(), { code: 'unavailable', retryAfterMs: 3_600_000 });
      assert.equal(server.count('/later'), 1);
    },
  );
});

test('a rotation needs no restart: the new secret is tried first, then the one that worked', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'countersign-')), 'secret');
  let live = ['old'];
  await withServer(
    ({ path, form }) => {
      if (path !== '/token') return { status: 401 };
      return live.includes(form.get('client_secret') ?? '') ? undefined : REFUSED;
    },
    async (server, options) => {
      const client = createClient({ ...options, clientSecret: { file } });
      const tried = async (): Promise<readonly (string | null)[]> => {
        const before = server.seen.length;
        await client.fetch(`${server.origin}/accounts`);
        const asked = server.seen.slice(before).filter(({ path }) => path === '/token');
        return asked.map(({ form }) => form.get('client_secret'));
      };
      await writeFile(file, 'old\n');
      assert.deepEqual(await tried(), ['old', 'old']);
      await writeFile(file, 'new\n');
      assert.deepEqual(await tried(), ['new', 'old'], 'the new one is not known yet');
      live = ['new'];
      assert.deepEqual(await tried(), ['new']);
    },
  );
});

test('refused credentials are not tried again with each call', () =>
  withServer(
    ({ path }) => (path === '/token' ? REFUSED : undefined),
    async (server, options) => {
      const client = createClient(options);
      const calls = Array.from({ length: 50 }, () => client.fetch(`${server.origin}/accounts`));
      const results = await Promise.allSettled(calls);
      assert.ok(results.every(({ status }) => status === 'rejected'));
      await assert.rejects(client.fetch(`${server.origin}/accounts`), {
        code: 'credentials-refused',
        oauthError: 'invalid_client',
      });
      assert.equal(server.count('/token'), 1);
      assert.equal(server.count('/accounts'), 0);
    },
  ));

test('nothing that is printed shows a secret or a token', () =>
  withServer(
    ({ path }) => (path === '/refusing' ? REFUSED : undefined),
    async (server, options) => {
      const client = createClient(options);
      const token = await client.accessToken();
      assert.equal(token.reveal(), 'token-1');
      const failed = createClient({ ...options, tokenEndpoint: `${server.origin}/refusing` });
      const error = await failed.accessToken().catch((thrown: unknown) => thrown);
      assert.ok(error instanceof TokenError);
      const printed = [client, token, { token }, `${token}`, JSON.stringify({ token }), error];
      const text = printed.map((value) => inspect(value, { depth: 9, showHidden: true })).join();
      assert.ok(text.includes('[redacted]'));
      assert.ok(!text.includes('token-1') && !text.includes(SECRET), text);
    },
  ));

test('the token endpoint is the one that the issuer names, and metadata of another issuer is refused', () =>
  withServer(
    ({ path }, { origin }) => {
      const prefix = '/.well-known/oauth-authorization-server';
      if (!path.startsWith(prefix)) return undefined;
      const issuer = path.endsWith('/sandbox') ? `${origin}/sandbox` : 'https://other.example';
      return { json: { issuer, token_endpoint: `${origin}/token` } };
    },
    async (server, { tokenEndpoint: _, ...options }) => {
      const found = createClient({ ...options, issuer: `${server.origin}/sandbox` });
      assert.equal((await found.fetch(`${server.origin}/accounts`)).status, 200);
      const misled = createClient({ ...options, issuer: `${server.origin}/production` });
      await assert.rejects(misled.accessToken(), { code: 'misconfigured' });
    },
  ));

test('a caller that goes away waits no longer, and the others get their token', () =>
  withServer(
    ({ path }) => (path === '/token' ? { ...granted('one'), delayMs: 100 } : undefined),
    async (server, options) => {
      const client = createClient(options);
      const leaving = new AbortController();
      const gone = client.fetch(`${server.origin}/accounts`, { signal: leaving.signal });
      const stays = client.fetch(`${server.origin}/accounts`);
      leaving.abort();
      await assert.rejects(gone, { name: 'AbortError' });
      assert.equal((await stays).status, 200);
      assert.equal(server.count('/token'), 1);
    },
  ));
