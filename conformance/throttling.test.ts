import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  credentialsOf,
  introspect,
  newClient,
  newProgram,
  tokenOf,
} from './onboarding.ts';
import type { Reply } from './reply.ts';

const skip = process.platform === 'linux' ? false : 'needs a second loopback address';
/** Above every limit there is, so that one must be met. */
const TRIES_MAX = 200;

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, other, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { isResourceServer: true }),
]);

/** Tries until told to wait; how many tries that took, and the answer. */
async function untilThrottled(
  attempt: (n: number) => Promise<Reply>,
): Promise<readonly [number, Reply]> {
  for (let n = 1; n <= TRIES_MAX; n += 1) {
    const reply = await attempt(n);
    if (reply.status === 429) return [n, reply];
    assert.equal(reply.status, 401, reply.body);
  }
  return assert.fail(`${TRIES_MAX} wrong secrets were all looked at`);
}

test('T-64: whoever guesses is told to wait, and nobody else is', { skip }, async () => {
  const from = freshAddress();
  const [tries, reply] = await untilThrottled((n) =>
    askToken(client, { client_secret: `guess${n}` }, { from }),
  );
  assert.ok(tries > 1 && tries <= 20, `throttled after ${tries}`);
  assert.equal(reply.json()['error'], 'temporarily_unavailable');
  assert.match(reply.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  assert.equal((await askToken(client, {}, { from })).status, 429, 'even a right guess waits');
  assert.equal((await askToken(client, {}, { from: freshAddress() })).status, 200);
  assert.equal((await askToken(other, {}, { from })).status, 200, 'another client of that address');
});

test('T-64: one address that tries many clients is told to wait as well', { skip }, async () => {
  const from = freshAddress();
  const [tries] = await untilThrottled((n) =>
    askToken(client, { client_id: `client_test_${String(n).padStart(16, '0')}` }, { from }),
  );
  assert.ok(tries > 20, `a whole office behind one address was throttled after ${tries}`);
  assert.equal((await askToken(client, {}, { from: freshAddress() })).status, 200);
});

test('T-65: spelling variants of a client_id gain no further guesses at it', { skip }, async () => {
  const from = freshAddress();
  const spellings = [
    (id: string) => id,
    (id: string) => `${id} `,
    (id: string) => ` ${id}`,
    (id: string) => id.toUpperCase(),
    (id: string) => `${id}\u200b`,
  ];
  let looked = 0;
  await untilThrottled(async (n) => {
    const spelled = spellings[n % spellings.length]?.(client.client_id) ?? '';
    const reply = await askToken(client, { client_id: spelled, client_secret: `g${n}` }, { from });
    // A variant names nobody: only guesses under the one spelling could ever fit.
    if (spelled === client.client_id && reply.status === 401) looked += 1;
    return reply;
  });
  assert.ok(looked <= 20, `${looked} guesses were looked at`);
});

test('T-32: clients that try Basic first are never locked out by it', { skip }, async () => {
  const from = freshAddress();
  const pair = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
  for (let n = 0; n < 30; n += 1) {
    const reply = await post(
      client.token_endpoint,
      { grant_type: 'client_credentials' },
      { headers: { Authorization: `Basic ${pair}` }, from },
    );
    assert.equal(reply.status, 401);
  }
  assert.equal((await askToken(client, {}, { from })).status, 200);
});

test('T-64: a form without a secret is no guess', { skip }, async () => {
  const from = freshAddress();
  const { client_id } = credentialsOf(client);
  for (let n = 0; n < 30; n += 1) {
    const reply = await post(
      client.token_endpoint,
      { client_id, grant_type: 'client_credentials' },
      { from },
    );
    assert.equal(reply.status, 401);
  }
  assert.equal((await askToken(client, {}, { from })).status, 200);
});

for (const endpoint of ['introspect', 'revoke'] as const) {
  test(`R-13: guesses at /${endpoint} are throttled like those at /token, and with them`, {
    skip,
  }, async () => {
    const from = freshAddress();
    const url = `${authority.issuer()}/${endpoint}`;
    const [tries] = await untilThrottled((n) =>
      post(url, { client_id: other.client_id, client_secret: `guess${n}`, token: 'x' }, { from }),
    );
    assert.ok(tries <= 20, `throttled after ${tries}`);
    assert.equal((await askToken(other, {}, { from })).status, 429);
  });
}

test('I-23: a thousand made-up tokens are all inactive', async () => {
  const token = await tokenOf(client);
  const last = token.length - 7;
  for (let n = 0; n < 1_000; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, k) => {
        const middle = String(n + k).padStart(6, '0');
        const made = `${token.slice(0, 30)}${middle}${token.slice(36)}`;
        const reply = await introspect(server, k % 2 === 0 ? made : token.slice(0, last - k));
        assert.equal(reply.body, '{"active":false}');
      }),
    );
  }
});
