import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  granted,
  type Scripted,
  type ScriptedServer,
  startScriptedServer,
} from '../test-kit/scripted-server.ts';
import { REFUSED } from '../test-kit/with-server.ts';
import { newTokenSource, type TokenSource } from './token-source.ts';

type World = {
  readonly server: ScriptedServer;
  readonly source: TokenSource;
  /** Moves the clock to this second of the first token's life. */
  readonly at: (second: number) => void;
  readonly asked: () => number;
  /** What was slept, in milliseconds. */
  readonly slept: readonly number[];
};

async function withSource(
  answer: (asked: number) => Scripted,
  body: (world: World) => Promise<void>,
  random = 0,
): Promise<void> {
  const server: ScriptedServer = await startScriptedServer(() => answer(server.count('/token')));
  let nowMs = 0;
  const slept: number[] = [];
  const source = newTokenSource({
    issuer: new URL(server.origin),
    tokenEndpoint: new URL(`${server.origin}/token`),
    clientId: 'client_test_0000000000000000',
    clientSecret: 'secret',
    scope: undefined,
    resource: undefined,
    fetch: globalThis.fetch,
    timeoutMs: 5_000,
    nowMs: () => nowMs,
    random: () => random,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  });
  try {
    await body({
      server,
      source,
      at: (second) => {
        nowMs = second * 1000;
      },
      asked: () => server.count('/token'),
      slept,
    });
  } finally {
    await server.stop();
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

test('a token is renewed ahead of its end, by one request, and nobody waits for it', () =>
  withSource(
    (asked) => granted(`token-${asked}`, 100),
    async ({ source, at, asked }) => {
      const texts = async (): Promise<readonly string[]> =>
        (await Promise.all(Array.from({ length: 50 }, () => source.get()))).map((token) =>
          token.reveal(),
        );
      assert.deepEqual([...new Set(await texts())], ['token-1']);
      at(74);
      await texts();
      await settled();
      assert.equal(asked(), 1, 'three quarters of its life it is left alone');
      at(76);
      assert.deepEqual([...new Set(await texts())], ['token-1'], 'good still');
      await settled();
      assert.equal(asked(), 2);
      assert.deepEqual([...new Set(await texts())], ['token-2']);
      at(76 + 100);
      assert.deepEqual(
        [...new Set(await texts())],
        ['token-3'],
        'an ended one is never handed out',
      );
      assert.equal(asked(), 3);
    },
  ));

test('while the authority is away the token that is still good goes on being used', () =>
  withSource(
    (asked) => (asked === 1 ? granted('token-1', 100) : { status: 503 }),
    async ({ source, at }) => {
      await source.get();
      at(95);
      assert.equal((await source.get()).reveal(), 'token-1');
      await settled();
      at(99);
      assert.equal((await source.get()).reveal(), 'token-1');
      await settled();
      at(101);
      await assert.rejects(source.get(), { code: 'unavailable' });
    },
  ));

test('refused credentials are tried again later and later, until they are taken', () =>
  withSource(
    (asked) =>
      asked < 3 ? { status: 401, json: { error: 'invalid_client' } } : granted('token-1', 100),
    async ({ source, at, asked }) => {
      await assert.rejects(source.get(), { code: 'credentials-refused' });
      at(0.9);
      await assert.rejects(source.get(), { code: 'credentials-refused' });
      assert.equal(asked(), 1);
      at(1.1);
      await assert.rejects(source.get(), { code: 'credentials-refused' });
      assert.equal(asked(), 2);
      at(2.9);
      await assert.rejects(source.get(), { code: 'credentials-refused' });
      assert.equal(asked(), 2, 'twice as long as before');
      at(3.2);
      assert.equal((await source.get()).reveal(), 'token-1');
    },
  ));

/** Fifty callers one after the other, before any of them has its answer; at the same moment, unless the clock is moved before each. */
const together = (source: TokenSource, before: (caller: number) => void = () => {}) =>
  Promise.allSettled(
    Array.from({ length: 50 }, (_, caller) => {
      before(caller);
      return source.get();
    }),
  );

test('fifty callers around expiry, some before it and some after, make one token request', () =>
  withSource(
    (asked) => ({ ...granted(`token-${asked}`, 100), delayMs: 50 }),
    async ({ source, at, asked }) => {
      await source.get();
      const results = await together(source, (caller) => at(90 + 0.4 * (caller + 1)));
      const texts = results.map((one) => one.status === 'fulfilled' && one.value.reveal());
      // 90.4, 90.8, … 110; before 100 they still had the old one, the others waited for the next; nobody got anything else.
      assert.equal(texts.filter((text) => text === 'token-1').length, 24);
      assert.equal(texts.filter((text) => text === 'token-2').length, 26);
      assert.equal(asked(), 2);
    },
  ));

test('fifty callers around expiry of a suspended client: all that need a token are refused, by one request', () =>
  withSource(
    (asked) => (asked === 1 ? granted('token-1', 100) : { ...REFUSED, delayMs: 50 }),
    async ({ source, at, asked }) => {
      const token = await source.get();
      const results = await together(source, (caller) => at(90 + 0.4 * (caller + 1)));
      assert.equal(results.filter(({ status }) => status === 'rejected').length, 26);
      assert.equal(asked(), 2);
      // The API refuses the old token, and so every caller finds out, without another request.
      at(100.5);
      source.discard(token);
      for (const result of await together(source)) {
        assert.ok(result.status === 'rejected' && result.reason.code === 'credentials-refused');
      }
      assert.equal(asked(), 2);
    },
  ));

test('the tokens of many processes are renewed at different moments, between three quarters and nine tenths', async () => {
  for (const [random, before, after] of [
    [0, 74, 76],
    [0.5, 82, 83],
    [0.999, 89, 91],
  ] as const) {
    await withSource(
      (asked) => granted(`token-${asked}`, 100),
      async ({ source, at, asked }) => {
        await source.get();
        at(before);
        await source.get();
        await settled();
        assert.equal(asked(), 1, `${random} before`);
        at(after);
        await source.get();
        await settled();
        assert.equal(asked(), 2, `${random} after`);
      },
      random,
    );
  }
});

test('an answer that says when to come back is obeyed by all calls, in seconds or as a date', async () => {
  const at = (ms: number): string => new Date(ms).toUTCString();
  const told = [
    { 'Retry-After': '3' },
    // By the authority's clock, which is days away from ours.
    { Date: at(86_400_000), 'Retry-After': at(86_403_000) },
  ];
  for (const headers of told) {
    await withSource(
      (asked) => (asked === 1 ? { status: 429, headers } : granted('token-1', 100)),
      async ({ source, slept }) => {
        await source.get();
        assert.deepEqual(slept, [3_000]);
      },
    );
  }
  const long = { Date: at(0), 'Retry-After': at(600_000) };
  await withSource(
    (asked) => (asked === 1 ? { status: 503, headers: long } : granted('token-1', 100)),
    async ({ source, at, asked, slept }) => {
      const later = { code: 'unavailable', retryAfterMs: 600_000 };
      await assert.rejects(source.get(), later);
      at(599);
      for (const result of await together(source)) assert.equal(result.status, 'rejected');
      await assert.rejects(source.get(), later);
      assert.equal(asked(), 1, 'nothing is asked before then');
      assert.deepEqual(slept, [], 'and nobody is kept waiting that long');
      at(601);
      assert.equal((await source.get()).reveal(), 'token-1');
    },
  );
});

test('a renewal that is put off leaves the token in use and the authority in peace', () =>
  withSource(
    (asked) =>
      asked === 1 ? granted('token-1', 1_000) : { status: 429, headers: { 'Retry-After': '100' } },
    async ({ source, at, asked }) => {
      await source.get();
      for (const second of [800, 820, 840, 860, 899]) {
        at(second);
        for (const result of await together(source)) assert.equal(result.status, 'fulfilled');
        await settled();
        assert.equal(asked(), 2, `${second}`);
      }
      at(901);
      await source.get();
      await settled();
      assert.equal(asked(), 3);
    },
  ));

test('callers who learn late that a token is dead do not throw away the next one', () =>
  withSource(
    (asked) => granted(`token-${asked}`, 100),
    async ({ source, asked }) => {
      const old = await source.get();
      source.discard(old);
      await source.get();
      source.discard(old);
      assert.equal((await source.get()).reveal(), 'token-2');
      assert.equal(asked(), 2);
    },
  ));

test('what is set up wrongly is not asked again with each call', () =>
  withSource(
    () => ({ status: 400, json: { error: 'invalid_scope' } }),
    async ({ source, at, asked }) => {
      await assert.rejects(source.get(), { code: 'refused', oauthError: 'invalid_scope' });
      for (const result of await together(source)) assert.equal(result.status, 'rejected');
      assert.equal(asked(), 1);
      at(1.1);
      await assert.rejects(source.get(), { code: 'refused' });
      assert.equal(asked(), 2);
    },
  ));
