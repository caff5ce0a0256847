import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startAuthority } from './harness.ts';
import { introspect, isActive, newClient, newProgram, revoke, tokenOf } from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, other, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { isResourceServer: true }),
]);

test('R-01: a thousand revocations of one client later, all it killed is dead and new tokens are alive', async () => {
  const revocations = 1_020;
  const tokens: string[] = [];
  for (let done = 0; done < revocations; done += 20) {
    const batch = await Promise.all(Array.from({ length: 20 }, () => tokenOf(other)));
    const replies = await Promise.all(batch.map((token) => revoke(other, token)));
    for (const { status } of replies) assert.equal(status, 200);
    tokens.push(...batch);
  }
  const alive = await Promise.all(tokens.map((token) => isActive(server, token)));
  assert.equal(alive.filter(Boolean).length, 0);
  assert.equal(await isActive(server, await tokenOf(other)), true);
});

test('R-12: in ten thousand interleavings no question asked after a revocation’s answer finds the token alive', async () => {
  let seenAlive = 0;
  for (let done = 0; done < 10_000; done += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, k) => {
        const token = await tokenOf(client);
        let isDead = false;
        const killing = revoke(client, token).then((reply) => {
          assert.equal(reply.status, 200);
          isDead = true;
        });
        for (let asked = 0; asked < k % 4; asked += 1) {
          const wasDead: boolean = isDead;
          const active = await isActive(server, token);
          if (active) seenAlive += 1;
          assert.ok(!(wasDead && active), 'a revoked token was accepted');
        }
        await killing;
        assert.equal(await isActive(server, token), false);
      }),
    );
  }
  assert.ok(seenAlive > 0, 'nothing was interleaved');
});

test('I-23: a hundred thousand made-up tokens are all inactive', async () => {
  const token = await tokenOf(client);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let n = 0; n < 100_000; n += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, k) => {
        const at = 11 + ((n + k) % (token.length - 11));
        const letter = letters[Math.floor((n + k) / 97) % letters.length] ?? 'A';
        const made = `${token.slice(0, at)}${token[at] === letter ? '.' : letter}${token.slice(at + 1)}`;
        assert.equal((await introspect(server, made)).body, '{"active":false}');
      }),
    );
  }
  assert.equal(await isActive(server, token), true);
});
