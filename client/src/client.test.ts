import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { granted, startScriptedServer } from '../test-kit/scripted-server.ts';
import { REFUSED, withServer } from '../test-kit/with-server.ts';
import { createClient } from './create-client.ts';
import { TokenError } from './errors.ts';

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

test('a caller that is gone before it asks asks for nothing, and leaves no rejection unheard', () =>
  withServer(
    ({ path }) => (path === '/token' ? { ...REFUSED, delayMs: 50 } : undefined),
    async (server, options) => {
      const unheard: unknown[] = [];
      const hear = (reason: unknown): number => unheard.push(reason);
      process.on('unhandledRejection', hear);
      const client = createClient(options);
      const signal = AbortSignal.abort();
      await assert.rejects(client.fetch(server.origin, { signal }), { name: 'AbortError' });
      const request = new Request(server.origin, { signal });
      await assert.rejects(client.fetch(request), { name: 'AbortError' });
      assert.equal(server.count('/token'), 0);
      const leaving = new AbortController();
      const gone = client.fetch(server.origin, { signal: leaving.signal });
      leaving.abort();
      await assert.rejects(gone, { name: 'AbortError' });
      await assert.rejects(client.fetch(server.origin), { code: 'credentials-refused' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.off('unhandledRejection', hear);
      assert.deepEqual(unheard, []);
    },
  ));

test('every body that gives the same bytes again is sent again, whole; no other is', () =>
  withServer(
    ({ path }) => (path === '/post' ? { status: 401 } : undefined),
    async (server, options) => {
      const client = createClient(options);
      const bytes = new TextEncoder().encode('a=1');
      const form = new FormData();
      form.set('a', '1');
      const sends = async (body: unknown): Promise<number> => {
        const before = server.count('/post');
        const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
        assert.equal((await client.fetch(`${server.origin}/post`, init)).status, 401);
        return server.count('/post') - before;
      };
      const again = ['a=1', bytes, bytes.buffer, new Blob(['a=1']), new URLSearchParams('a=1')];
      for (const body of [...again, form]) assert.equal(await sends(body), 2);
      const bodies = server.seen.filter(({ path }) => path === '/post');
      assert.ok(bodies.slice(0, 10).every((one) => one.form.get('a') === '1'));
      const generated = {
        [Symbol.asyncIterator]: () => Readable.from([bytes])[Symbol.asyncIterator](),
      };
      for (const body of [generated, Readable.from([bytes]), new Blob(['x']).stream()]) {
        assert.equal(await sends(body), 1);
      }
    },
  ));

test('a secret comes from a text, a list, a function or a variable alike', () =>
  withServer(
    ({ path, form }) =>
      path === '/token' && form.get('client_secret') !== 'right' ? REFUSED : undefined,
    async (server, options) => {
      process.env['SECRETS_OF_A_TEST'] = 'new right';
      for (const clientSecret of [
        'right',
        ['new', 'right'],
        () => ['right', 'old'],
        async () => 'new\nright\n',
        { env: 'SECRETS_OF_A_TEST' },
      ]) {
        const client = createClient({ ...options, clientSecret });
        assert.equal((await client.fetch(`${server.origin}/accounts`)).status, 200);
      }
      const empty = createClient({ ...options, clientSecret: { env: 'NO_SUCH_VARIABLE' } });
      await assert.rejects(empty.accessToken(), { code: 'misconfigured' });
      const own = new Error('the vault is sealed');
      const failing = createClient({ ...options, clientSecret: () => Promise.reject(own) });
      await assert.rejects(failing.accessToken(), own);
    },
  ));

test('metadata is asked for patiently too, and names no place that a secret must not go to', () => {
  let busy = 2;
  let endpoint = 'http://auth.bank.example/token';
  return withServer(
    ({ path }, { origin }) => {
      if (!path.startsWith('/.well-known/')) return undefined;
      if (busy > 0) {
        busy -= 1;
        return { status: 503, headers: { 'Retry-After': '0' } };
      }
      return { json: { issuer: origin, token_endpoint: endpoint } };
    },
    async (server, { tokenEndpoint: _, ...options }) => {
      await assert.rejects(createClient(options).accessToken(), { code: 'misconfigured' });
      assert.equal(busy, 0);
      endpoint = `${server.origin}/token`;
      assert.equal((await createClient(options).accessToken()).reveal(), 'token-1');
    },
  );
});
