import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  granted,
  type Scripted,
  type ScriptedServer,
  startScriptedServer,
} from '../test-kit/scripted-server.ts';
import { newTokenSource, type TokenSource } from './token-source.ts';

type World = {
  readonly server: ScriptedServer;
  readonly source: TokenSource;
  /** Moves the clock to this second of the first token's life. */
  readonly at: (second: number) => void;
  readonly asked: () => number;
};

async function withSource(
  answer: (asked: number) => Scripted,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const server: ScriptedServer = await startScriptedServer(() => answer(server.count('/token')));
  let nowMs = 0;
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
    random: () => 0,
    sleep: () => Promise.resolve(),
  });
  try {
    await body({
      server,
      source,
      at: (second) => {
        nowMs = second * 1000;
      },
      asked: () => server.count('/token'),
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
