import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, type Client, newClient, newProgram } from './onboarding.ts';
import type { Reply } from './reply.ts';

/** Of ten milliseconds each. */
const LOOKS_MAX = 500;
/** The longest time that a secret is given in which to be seen good. */
const LASTING_MS_MAX = 60_000;

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);

/** What two answers would have to differ in to be told apart. */
function comparable({ status, headers, body }: Reply): unknown {
  const { date: _date, 'x-request-id': _id, ...same } = headers;
  return { status, headers: same, body };
}

/** The reason that the authority's log gives for an answer; the line may arrive after the answer. */
async function loggedReason(reply: Reply): Promise<string | undefined> {
  const id = reply.headers['x-request-id'] ?? assert.fail('every answer names its request');
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const line = authority
      .written()
      .split('\n')
      .find((each) => each.includes(id));
    if (line !== undefined) return /"reason":"([^"]+)"/.exec(line)?.[1];
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail(`nothing is logged of ${id}`);
}

const ask = (client: Client, secret = client.client_secret): Promise<Reply> =>
  askToken(client, { client_secret: secret }, { from: freshAddress() });

async function rotate(client: Client, overlap: string): Promise<string> {
  const printed = await authority.cli('secret', 'rotate', client.client_id, '--overlap', overlap);
  return String(printed['client_secret']);
}

for (const what of ['client', 'program'] as const) {
  test(`T-60, T-18: a client whose ${what} is suspended looks like one with a wrong secret; only the log knows better`, async () => {
    const suspended = await newProgram(authority, 'Suspended');
    const client = await newClient(authority, suspended);
    const wrong = await ask(client, 'x');
    const id = what === 'client' ? client.client_id : suspended;
    await authority.cli(what, 'suspend', id, '--reason', 'leak');
    const right = await ask(client);
    assert.deepEqual(comparable(right), comparable(wrong));
    assert.equal(await loggedReason(wrong), 'wrong-secret');
    assert.equal(await loggedReason(right), `suspended-${what}`);
    assert.deepEqual(comparable(await ask(client, 'x')), comparable(wrong));
    await authority.cli(what, 'reactivate', id);
    assert.equal((await ask(client)).status, 200, 'the next request, with the secret it had');
  });
}

/** Tries with ever more time, as a command may take long on a loaded machine, until what was to last was seen to last. */
async function seenToLast(attempt: (ms: number) => Promise<boolean>, firstMs: number) {
  for (let ms = firstMs; ms <= LASTING_MS_MAX; ms *= 2) if (await attempt(ms)) return;
  assert.fail('it was not good at all');
}

test('T-61: a secret is good until the instant it expires, and then looks like a wrong one', async () => {
  const client = await newClient(authority, program);
  const attempt = async (aheadMs: number): Promise<boolean> => {
    const expiresMs = Date.now() + aheadMs;
    const at = new Date(expiresMs).toISOString();
    const made = await authority
      .cli('secret', 'create', client.client_id, '--expires', at)
      .catch((error: unknown) => {
        if (Date.now() < expiresMs) throw error;
      });
    // The command began too late to make a secret that ends then.
    if (made === undefined) return false;
    const secret = String(made['client_secret']);
    let granted = 0;
    for (;;) {
      const askedMs = Date.now();
      const reply = await ask(client, secret);
      if (Date.now() < expiresMs) assert.equal(reply.status, 200, 'refused before its time');
      if (reply.status === 200) granted += 1;
      if (askedMs < expiresMs) continue;
      assert.equal(reply.status, 401);
      assert.equal(await loggedReason(reply), 'expired-secret');
      assert.deepEqual(comparable(reply), comparable(await ask(client, 'x')));
      return granted > 0;
    }
  };
  await seenToLast(attempt, 1_500);
  assert.equal((await ask(client)).status, 200, 'the secret beside it');
});

test('T-62: while a rotation overlaps both secrets are good, and at its end only the new one', async () => {
  const attempt = async (overlapMs: number): Promise<boolean> => {
    const client = await newClient(authority, program);
    const renewed = await rotate(client, `${overlapMs / 1_000}s`);
    const rotatedMs = Date.now();
    assert.equal((await ask(client, renewed)).status, 200);
    let overlapped = 0;
    for (;;) {
      const askedMs = Date.now();
      const { status } = await ask(client);
      if (status === 200) overlapped += 1;
      else assert.equal(status, 401);
      // The overlap began at the latest when the command had answered.
      if (askedMs < rotatedMs + overlapMs) continue;
      assert.equal(status, 401, 'the old secret outlived its overlap');
      assert.equal((await ask(client, renewed)).status, 200);
      return overlapped > 0;
    }
  };
  await seenToLast(attempt, 1_000);
});

test('T-63: a rotation without overlap ends the old secret before the command answers', async () => {
  const client = await newClient(authority, program);
  const renewed = await rotate(client, '0s');
  const reply = await ask(client);
  assert.equal(reply.status, 401);
  assert.equal((await ask(client, renewed)).status, 200);
  assert.deepEqual(comparable(reply), comparable(await ask(client, 'x')));
});

test('T-62, T-63: by default both secrets are good; one that is revoked is refused by the next request', async () => {
  const client = await newClient(authority, program);
  const made = await authority.cli('secret', 'rotate', client.client_id);
  const renewed = String(made['client_secret']);
  assert.equal((await ask(client)).status, 200);
  assert.equal((await ask(client, renewed)).status, 200);
  await authority.cli('secret', 'revoke', String(made['secret_id']));
  const reply = await ask(client, renewed);
  assert.equal(reply.status, 401);
  assert.equal(await loggedReason(reply), 'revoked-secret');
  assert.equal((await ask(client)).status, 200);
});
