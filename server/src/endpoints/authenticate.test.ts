import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareHmacKey } from '../credentials/hmac.ts';
import { systemRandomness } from '../credentials/random.ts';
import { macOfSecret } from '../credentials/secret-hash.ts';
import type { ClientCredentials, StoredSecret } from '../ports/model.ts';
import type { EnvironmentState } from '../replica/replica.ts';
import { isRefused } from './answering.ts';
import { authenticate } from './authenticate.ts';
import type { Authority } from './context.ts';

const random = systemRandomness();
const environment = { ordinal: 1, name: 'sandbox', tag: 'test' } as EnvironmentState;

/** A client whose secrets stand under the given peppers, and how often anything is hashed under one of them. */
function setUp(peppers: readonly number[]) {
  let hashes = 0;
  const keys = new Map(
    [...new Set(peppers)].map((version) => {
      const key = prepareHmacKey(random.bytes(32));
      const digest = key.digest.bind(key);
      key.digest = (message) => {
        hashes += 1;
        return digest(message);
      };
      return [version, key] as const;
    }),
  );
  const pepper = (version: number) => keys.get(version) ?? assert.fail('no such pepper');
  const secrets = peppers.map(
    (pepperVersion, index): StoredSecret => ({
      ordinal: index + 1,
      secretId: `sec_${index + 1}`,
      mac: macOfSecret(pepper(pepperVersion), `secret ${index + 1}`),
      pepperVersion,
      revoked: false,
    }),
  );
  const uses: (readonly [number, string])[] = [];
  const newest = Math.max(...peppers);
  const authority = {
    follower: { mayDecide: () => true },
    keyRing: {
      pepper: (_: number, version: number) => pepper(version),
      newestPepper: () => ({ version: newest, pepper: pepper(newest) }),
      newestPepperVersion: () => newest,
    },
    replica: {
      clients: { state: () => 'active', program: () => 1 },
      program: () => ({ suspended: false }),
    },
    admission: { failed: () => {} },
    secretMoves: { used: () => {} },
    secretUses: { used: (secret: number, address: string) => uses.push([secret, address]) },
    clock: { monotonicMs: () => 0 },
  } as unknown as Authority;
  const client = { ordinal: 1, secrets, allowIp: [] as string[] } as unknown as ClientCredentials;
  const attempt = (clientSecret: string, of: ClientCredentials | undefined = client) => {
    hashes = 0;
    const presented = { clientId: 'client_test_0123456789abcdef', clientSecret };
    const address = '192.0.2.7';
    const found = authenticate(authority, environment, {
      client: of,
      presented,
      address,
      nowMs: 0,
    });
    return { secret: isRefused(found) ? found.refusal.reason : found.secret.ordinal, hashes };
  };
  return { attempt, uses };
}

test('checking a secret costs one hash however many are live, right or wrong', () => {
  for (const count of [1, 2, 8]) {
    const { attempt } = setUp(Array.from({ length: count }, () => 1));
    assert.deepEqual(attempt('secret 1'), { secret: 1, hashes: 1 });
    assert.deepEqual(attempt(`secret ${count}`), { secret: count, hashes: 1 });
    assert.deepEqual(attempt('secret 99'), { secret: 'wrong-secret', hashes: 1 });
  }
});

test('during a rotation of the pepper it costs one hash for each pepper, not for each secret', () => {
  const { attempt } = setUp([3, 3, 3, 2, 2, 1]);
  for (const secret of [1, 3, 5, 6]) {
    assert.deepEqual(attempt(`secret ${secret}`), { secret, hashes: 3 });
  }
  assert.equal(attempt('secret 99').hashes, 3);
});

test('a use is told of with its address, and an attempt that failed is none', () => {
  const { attempt, uses } = setUp([1, 1]);
  attempt('secret 99');
  attempt('secret 2');
  assert.deepEqual(uses, [[2, '192.0.2.7']]);
});
