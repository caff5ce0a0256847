import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FORM } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { grantOf, newClient, newProgram } from './onboarding.ts';
import { rawConnection, rawRequest } from './raw-connection.ts';

const ROUNDS = 400;
/** An address has a hundred failures before it must wait, so each round sends from one of its own. */
const KINDS = ['unknown client', 'wrong secret', 'one character off', 'suspended client'] as const;
type Kind = (typeof KINDS)[number];
/** Far above noise between medians of one run, far below what a skipped hash over the network would be noticed by. */
const RATIO_MAX = 1.25;

const skip = process.platform === 'linux' ? false : 'needs more loopback addresses';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, suspended] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
]);
await authority.cli('client', 'suspend', suspended.client_id, '--reason', 'drill');

const right = grantOf(client);
const fields: Readonly<Record<Kind, Record<string, string>>> = {
  'unknown client': { ...right, client_id: client.client_id.replace(/.{16}$/, '0000000000000000') },
  'wrong secret': {
    ...right,
    client_secret: client.client_secret.replace(/[^_]{49}$/, 'x'.repeat(49)),
  },
  'one character off': { ...right, client_secret: `${client.client_secret.slice(0, -1)}_` },
  'suspended client': grantOf(suspended),
};

test('T-19, T-60: which of the reasons it was cannot be told by the time it takes', {
  skip,
}, async () => {
  const times = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = `127.${100 + (round >> 8)}.${round & 255}.1`;
    const connection = rawConnection(authority.port, from);
    let answers = 0;
    // In another order each round, so that none is always first.
    for (let n = 0; n < KINDS.length; n += 1) {
      const kind = KINDS[(n + round) % KINDS.length] ?? assert.fail();
      const body = new URLSearchParams(fields[kind]).toString();
      const lines = [`Host: 127.0.0.1:${authority.port}`, `Content-Type: ${FORM}`];
      const text = rawRequest(
        'POST /sandbox/token',
        [...lines, `Content-Length: ${body.length}`],
        body,
      );
      const startMs = performance.now();
      connection.send(text);
      answers += 1;
      const replies = await connection.answers(answers);
      const tookMs = performance.now() - startMs;
      assert.equal(replies.at(-1)?.status, 401);
      // The first round of all warms up.
      if (round > 20) times.get(kind)?.push(tookMs);
    }
    connection.destroy();
  }
  const medians = KINDS.map((kind) => [kind, median(times.get(kind) ?? [])] as const);
  const values = medians.map(([, value]) => value);
  const ratio = Math.max(...values) / Math.min(...values);
  assert.ok(ratio < RATIO_MAX, `${ratio.toFixed(2)}: ${JSON.stringify(medians)}`);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
