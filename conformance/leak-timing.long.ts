import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FORM } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { newClient, newProgram, tokenOf } from './onboarding.ts';
import { rawConnection, rawRequest } from './raw-connection.ts';

const ROUNDS = 60;
/** Four reports a round leave together and arrive within one tick; what is left of a difference is the machine's. */
const MEDIAN_MS_MAX = 3;

const skip = process.platform === 'linux' ? false : 'needs more loopback addresses';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const client = await newClient(authority, program);

test('a report of a live credential is answered together with that of a dead, a forged and a senseless one', {
  skip,
}, async () => {
  const late = new Map<string, number[]>();
  const dead = await tokenOf(client);
  await authority.cli('token', 'revoke', dead);
  for (let round = 0; round < ROUNDS; round += 1) {
    const live = await tokenOf(client);
    const kinds: readonly (readonly [string, string])[] = [
      ['live', live],
      ['dead', dead],
      ['forged', `${live.slice(0, 40)}${live[40] === 'A' ? 'B' : 'A'}${live.slice(41)}`],
      ['senseless', 'x'.repeat(live.length)],
    ];
    const connections = kinds.map((_, n) =>
      rawConnection(authority.port, `127.140.${round}.${n + 1}`),
    );
    // In another order each round, so that none is always first.
    const order = kinds.map((_, n) => (n + round) % kinds.length);
    const answered = await Promise.all(
      order.map(async (n) => {
        const [kind, credentials] = kinds[n] ?? assert.fail();
        const connection = connections[n] ?? assert.fail();
        const body = new URLSearchParams({ credentials }).toString();
        const lines = [`Host: 127.0.0.1:${authority.port}`, `Content-Type: ${FORM}`];
        connection.send(
          rawRequest('POST /sandbox/leaks', [...lines, `Content-Length: ${body.length}`], body),
        );
        const [reply] = await connection.answers(1);
        assert.equal(reply?.status, 202);
        return [kind, performance.now()] as const;
      }),
    );
    for (const connection of connections) connection.destroy();
    const times = answered.map(([, atMs]) => atMs);
    const middle = times.reduce((sum, atMs) => sum + atMs, 0) / times.length;
    // Those that a tick came between are no pair.
    if (Math.max(...times) - Math.min(...times) > 100) continue;
    for (const [kind, atMs] of answered) late.set(kind, [...(late.get(kind) ?? []), atMs - middle]);
  }
  const medians = [...late].map(([kind, values]) => [kind, median(values)] as const);
  assert.ok((late.get('live')?.length ?? 0) > ROUNDS / 2, 'most rounds count');
  for (const [kind, value] of medians) {
    assert.ok(Math.abs(value) < MEDIAN_MS_MAX, `${kind}: ${JSON.stringify(medians)}`);
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
