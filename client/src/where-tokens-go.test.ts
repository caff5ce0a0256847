/** Where a token or a secret must not turn up: another origin, a URL, an error, anything that is printed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { granted, startScriptedServer } from '../test-kit/scripted-server.ts';
import { REFUSED, SECRET, withServer } from '../test-kit/with-server.ts';
import { createClient } from './create-client.ts';
import { TokenError } from './errors.ts';

test('a look-alike of the API gets no token, and none is asked for', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      const client = createClient({ ...options, api: 'https://api.bank.example/v1' });
      for (const url of [
        'https://api.bank.example.evil.example/v1',
        'https://api.bank.example@evil.example/v1',
        'https://evil.example/https://api.bank.example/v1',
        'https://api.bank.example:8443/v1',
        'https://api.bank.example./v1',
        'http://api.bank.example/v1',
        'https:api.bank.example@evil.example/',
        'data:,https://api.bank.example/',
      ]) {
        await assert.rejects(client.fetch(url), TypeError, url);
      }
      assert.deepEqual(server.seen, []);
    },
  ));

test('the URL that was looked at is the URL that is called, whatever it says the next time', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      const answers = [`${server.origin}/accounts`, 'https://evil.example/'];
      const shifty = { toString: () => answers.shift() ?? 'https://evil.example/' };
      const answer = await createClient(options).fetch(shifty as unknown as string);
      assert.equal(new URL(answer.url).pathname, '/accounts');
    },
  ));

test('an Authorization of the caller’s own is replaced, in whatever form it is given', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      const client = createClient(options);
      const own = { AUTHORIZATION: 'Bearer mine', 'X-Kept': 'yes' };
      await client.fetch(`${server.origin}/a`, { headers: own });
      await client.fetch(`${server.origin}/b`, { headers: new Headers(own) });
      await client.fetch(`${server.origin}/c`, { headers: Object.entries(own) });
      await client.fetch(new Request(`${server.origin}/d`, { headers: own }));
      await client.fetch(new Request(`${server.origin}/e`, { headers: own }), { headers: {} });
      const calls = server.seen.filter(({ path }) => path !== '/token');
      assert.deepEqual(
        calls.map(({ authorization }) => authorization),
        Array.from({ length: 5 }, () => 'Bearer token-1'),
      );
    },
  ));

test('no caller can make a redirect be followed', async (t) => {
  const elsewhere = await startScriptedServer(() => ({}));
  t.after(elsewhere.stop);
  const moved = { status: 307, headers: { Location: `${elsewhere.origin}/take` } };
  await withServer(
    ({ path }) => (path.endsWith('/moved') ? moved : undefined),
    async (server, options) => {
      const client = createClient(options);
      const follow = { redirect: 'follow' } as const;
      const url = `${server.origin}/moved`;
      assert.equal((await client.fetch(url, follow)).status, 307);
      assert.equal((await client.fetch(new Request(url, follow))).status, 307);
      const misled = createClient({ ...options, tokenEndpoint: url });
      await assert.rejects(misled.accessToken(), { code: 'misconfigured' });
      const { tokenEndpoint: _, ...undiscovered } = options;
      const lost = createClient({ ...undiscovered, issuer: url });
      await assert.rejects(lost.accessToken(), { code: 'misconfigured' });
    },
  );
  assert.deepEqual(elsewhere.seen, []);
});

test('a token that a caller puts into a URL is not sent there, and the refusal does not repeat it', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      const client = createClient(options);
      const token = (await client.accessToken()).reveal();
      for (const url of [
        `${server.origin}/accounts?access_token=${token}`,
        `${server.origin}/accounts?access_token=an-older-one`,
        `${server.origin}/accounts?t=${token}`,
        `${server.origin}/accounts/${token}`,
      ]) {
        for (const input of [url, new URL(url), new Request(url)]) {
          const error = await client.fetch(input).catch((thrown: unknown) => thrown);
          assert.ok(error instanceof TypeError, url);
          assert.ok(!inspect(error).includes(token) && !inspect(error).includes('older'));
        }
      }
      assert.equal(server.seen.length, 1, 'the token request, and nothing else');
    },
  ));

test('an answer that holds no token that fits a header is none, and is not repeated', () =>
  withServer(
    ({ path }) => {
      if (path === '/line') return granted('abc\r\nX-Evil: 1');
      if (path === '/space') return granted('abc def');
      return path === '/ended' ? granted('abc', 0) : undefined;
    },
    async (server, options) => {
      for (const path of ['/line', '/space', '/ended']) {
        const client = createClient({ ...options, tokenEndpoint: `${server.origin}${path}` });
        const error = await client.fetch(`${server.origin}/x`).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof TokenError, path);
        assert.equal(error.code, 'misconfigured');
        assert.ok(!inspect(error).includes('abc'));
      }
      assert.equal(server.count('/x'), 0);
    },
  ));

test('nothing that is printed, in any way, shows a secret or a token', () =>
  withServer(
    ({ path }) => (path === '/refusing' ? REFUSED : undefined),
    async (server, options) => {
      const telling: typeof globalThis.fetch = (_, init) =>
        Promise.reject(Object.assign(new Error(`sent ${String(init?.body)}`), { init }));
      const failing = [
        { tokenEndpoint: `${server.origin}/refusing` },
        { clientSecret: { file: `/nowhere/${SECRET.slice(0, 6)}` } },
        { clientSecret: { env: 'NO_SUCH_VARIABLE' } },
        { fetch: telling },
      ].map((wrong) => createClient({ ...options, ...wrong }));
      const errors = await Promise.all(
        failing.map((one) => one.accessToken().catch((thrown: unknown) => thrown)),
      );
      assert.ok(errors.every((error) => error instanceof TokenError));
      const client = createClient(options);
      const token = await client.accessToken();
      assert.equal(token.reveal(), 'token-1');
      const deep = { depth: 9, showHidden: true, getters: true };
      const text = [token, client, ...failing, ...errors, { nested: [token] }]
        .flatMap((one) => [
          inspect(one, deep),
          format('%s %o %O %j', one, one, one, one),
          JSON.stringify(one),
          String(one),
          Object.values(one as object).join(),
        ])
        .join();
      assert.ok(text.includes('[redacted]'));
      assert.ok(!text.includes('token-1') && !text.includes(SECRET), text);
      assert.deepEqual(structuredClone({ token }), { token: {} });
    },
  ));

test('what could not be reached is told by its code, and by nothing that a fetch made up', () =>
  withServer(
    () => undefined,
    async (server, options) => {
      await server.stop();
      const error = await createClient(options)
        .accessToken()
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof TokenError);
      assert.match(error.message, /^the authority at http:\S+ cannot be reached: ECONNREFUSED$/);
    },
  ));
