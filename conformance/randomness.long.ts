import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startAuthority } from './harness.ts';
import { askToken, newClient, newProgram } from './onboarding.ts';
import { assertLooksRandom } from './randomness.ts';

const TOKENS = 1_000_000;
const AT_ONCE = 64;

const authority = await startAuthority();
after(() => authority.stop());
const client = await newClient(authority, await newProgram(authority));

test('T-66, T-67: of a million tokens no two are alike, and none can be foretold', async () => {
  const tokens: string[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (tokens.length < TOKENS) {
        tokens.push(String((await askToken(client)).json()['access_token']));
      }
    }),
  );
  assert.ok(tokens.length >= TOKENS);
  assertLooksRandom(tokens);
});
