import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../endpoints/exchange.ts';
import { post, rawPeer } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';
import { newTurn } from './turn.ts';

const PEERS = 120;
const BURN_MS = 2;
const REQUESTS_MIN = 10;

/** Sends one request on each of many open connections at once, to an endpoint that takes its time on the one thread. */
async function floodedWith(
  t: Parameters<typeof testListener>[0],
  turnMsMax: number,
): Promise<{ readonly granted: number; readonly refused: number }> {
  const burn = (): Answer => {
    const untilMs = performance.now() + BURN_MS;
    while (performance.now() < untilMs);
    return { status: 200, body: '{}' };
  };
  const { port } = await testListener(t, {
    limits: { turnMsMax, turnRequestsMin: REQUESTS_MIN },
    more: [{ path: '/burn', methods: { POST: burn } }],
  });
  const peers = Array.from({ length: PEERS }, () => rawPeer(port));
  for (const peer of peers) peer.send(post('/sandbox/token', 'a=b'));
  await Promise.all(peers.map((peer) => peer.answers(1)));
  for (const peer of peers) peer.send(post('/burn', 'a=b'));
  const answers = await Promise.all(peers.map(async (peer) => (await peer.answers(2))[1]));
  for (const peer of peers) peer.destroy();
  const refused = answers.filter((answer) => answer?.status === 503);
  for (const answer of refused) assert.ok(Number(answer?.headers['retry-after']) >= 1);
  return {
    granted: answers.filter((answer) => answer?.status === 200).length,
    refused: refused.length,
  };
}

test('a turn of the event loop ends in time: what it has no time for is told so, early and with Retry-After', async (t) => {
  const { granted, refused } = await floodedWith(t, 20);
  assert.equal(granted + refused, PEERS);
  assert.ok(granted >= REQUESTS_MIN, `${granted} were granted`);
  assert.ok(refused > 0, 'the rest would have held up everybody else for a quarter of a second');
});

test('without the bound one turn goes on for as long as there are requests (control)', async (t) => {
  assert.deepEqual(await floodedWith(t, Number.POSITIVE_INFINITY), { granted: PEERS, refused: 0 });
});

test('one pause of the machine is no overload, and the next turn begins anew', async () => {
  let nowMs = 0;
  const isOver = newTurn({ turnMsMax: 25, turnRequestsMin: 3 }, () => nowMs);
  assert.equal(isOver(), false);
  nowMs = 1_000;
  assert.deepEqual([isOver(), isOver(), isOver()], [false, false, true]);
  await new Promise(setImmediate);
  assert.deepEqual([isOver(), isOver()], [false, false]);
  nowMs += 25;
  assert.deepEqual([isOver(), isOver()], [false, false], 'not before the time is over');
});
