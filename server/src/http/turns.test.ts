import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import type { Answer } from '../endpoints/exchange.ts';
import { parseAnswers, post, rawPeer } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';
import { newTurns } from './turns.ts';

const PEERS = 120;
const BURN_MS = 2;
const TOGETHER = 10;

/** Sends one request on each of many open connections at once, to an endpoint that takes its time on the one thread. */
async function floodedWith(
  t: Parameters<typeof testListener>[0],
  limits: { readonly turnMsMax: number; readonly waitingMax: number },
): Promise<{
  readonly granted: number;
  readonly refused: number;
  readonly turns: number;
}> {
  const burn = (): Answer => {
    const untilMs = performance.now() + BURN_MS;
    while (performance.now() < untilMs);
    return { status: 200, body: '{}' };
  };
  const { port } = await testListener(t, {
    limits: { ...limits, togetherMax: TOGETHER },
    more: [{ path: '/burn', methods: { POST: burn } }],
  });
  const peers = Array.from({ length: PEERS }, () => rawPeer(port));
  for (const peer of peers) peer.send(post('/sandbox/token', 'a=b'));
  await Promise.all(peers.map((peer) => peer.answers(1)));
  for (const peer of peers) peer.send(post('/burn', 'a=b'));
  let turns = 0;
  let isAnswered = false;
  // What is anybody else's: it has its turn as often as the requests leave it one.
  const other = (): void => {
    turns += 1;
    if (!isAnswered) setTimeout(other);
  };
  other();
  const answers = await Promise.all(peers.map(async (peer) => (await peer.answers(2))[1]));
  isAnswered = true;
  for (const peer of peers) peer.destroy();
  const refused = answers.filter((answer) => answer?.status === 503);
  for (const answer of refused) assert.ok(Number(answer?.headers['retry-after']) >= 1);
  return {
    granted: answers.filter((answer) => answer?.status === 200).length,
    refused: refused.length,
    turns,
  };
}

test('requests that come together are spread over turns, and nobody else waits for all of them', async (t) => {
  const all = { waitingMax: PEERS };
  const spread = await floodedWith(t, { ...all, turnMsMax: 5 });
  assert.deepEqual([spread.granted, spread.refused], [PEERS, 0]);
  // The control: without the bound one turn goes on for as long as there are requests.
  const whole = await floodedWith(t, { ...all, turnMsMax: Number.POSITIVE_INFINITY });
  assert.deepEqual([whole.granted, whole.refused], [PEERS, 0]);
  assert.ok(spread.turns > 2 * whole.turns, `${spread.turns} turns, and ${whole.turns} without`);
});

test('more than may wait are told so, early and with Retry-After', async (t) => {
  const waitingMax = 20;
  const { granted, refused } = await floodedWith(t, { turnMsMax: 5, waitingMax });
  assert.equal(granted + refused, PEERS);
  assert.ok(granted >= waitingMax, `${granted} were granted`);
  assert.ok(refused > 0);
});

test('whoever waits is begun in order, however long others took; more than may wait are not taken', async () => {
  let nowMs = 0;
  const begun: number[] = [];
  const turns = newTurns({ turnMsMax: 25, togetherMax: 3, waitingMax: 5 }, () => nowMs);
  const take = (name: number): boolean =>
    turns.take(() => {
      nowMs += 10;
      begun.push(name);
      return undefined;
    });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(take), [true, true, true, true, true, false]);
  assert.deepEqual(begun, [], 'sockets are read first');
  await new Promise(setImmediate);
  assert.deepEqual(begun, [1, 2, 3], 'then the turn is over');
  assert.deepEqual([7, 8, 9, 10].map(take), [true, true, true, false]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.deepEqual(begun, [1, 2, 3, 4, 5, 7, 8, 9]);
});

test('what was decided together is answered before anything else is heard', async () => {
  const seen: string[] = [];
  const turns = newTurns({ turnMsMax: 25, togetherMax: 2, waitingMax: 4 }, () => 0);
  for (const name of ['a', 'b', 'c']) {
    turns.take(() => {
      seen.push(`decide ${name}`);
      // The news, by the fastest ways that there are.
      process.nextTick(() => seen.push('tick'));
      queueMicrotask(() => seen.push('microtask'));
      return () => seen.push(`answer ${name}`);
    });
  }
  await new Promise(setImmediate);
  assert.deepEqual(seen.slice(0, 6), [
    ...['decide a', 'decide b', 'answer a', 'answer b'],
    ...['decide c', 'answer c'],
  ]);
  assert.equal(seen.length, 12);
});

/** What a request holds. */
class Own {
  readonly bytes = Buffer.alloc(64);
}

test('what was begun is not kept, though somebody waits all the time', async () => {
  const turns = newTurns({ turnMsMax: 0, togetherMax: 1, waitingMax: 10 }, () => performance.now());
  let begun = 0;
  const wait = (): void => {
    const own = new Own();
    const begin = (): undefined => {
      begun += own.bytes.length / 64;
    };
    assert.ok(turns.take(begin));
  };
  for (let count = 0; count < 5; count += 1) wait();
  const waitedFor = 200;
  while (begun < waitedFor) {
    // As many come as were begun, so that the queue never runs dry.
    const before = begun;
    await new Promise(setImmediate);
    for (let count = before; count < begun; count += 1) wait();
  }
  // Collects first, and then counts.
  const kept = queryObjects(Own, { format: 'count' });
  assert.ok(Number(kept) < 20, `${kept} of ${begun} are kept`);
});

test('whoever does not wait is not heard for a while, once it was told twice; behind a declared proxy it may be another', async (t) => {
  const comeBackMs = 1_000;
  for (const proxies of [[], ['127.0.0.1']]) {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await testListener(t, {
      limits: { inFlightMax: 1, comeBackMs },
      trustedProxies: proxies,
      more: [
        {
          path: '/held',
          methods: { POST: () => held.then((): Answer => ({ status: 200, body: '{}' })) },
        },
      ],
    });
    const forwarded = ['X-Forwarded-Proto: https', 'X-Forwarded-For: 192.0.2.7'];
    const [first, deaf] = [rawPeer(port), rawPeer(port)];
    first.send(post('/held', 'a=b', forwarded));
    const told: string[] = [];
    for (const count of [1, 2]) {
      deaf.send(post('/held', 'a=b', forwarded));
      const refused = (await deaf.answers(count))[count - 1];
      assert.equal(refused?.status, 503);
      told.push(refused.headers['retry-after'] ?? '');
    }
    // Half of those who are refused together come back a second after the others.
    assert.deepEqual(told.sort(), ['1', '2']);
    const toldMs = performance.now();
    release();
    await first.answers(1);
    deaf.send(post('/sandbox/token', 'a=b', forwarded));
    first.send(post('/sandbox/token', 'a=b', forwarded));
    // Whoever waited has its turn meanwhile.
    assert.equal((await first.answers(2))[1]?.status, 200);
    if (proxies.length === 0) assert.equal(parseAnswers(deaf.received()).length, 2);
    assert.equal((await deaf.answers(3))[2]?.status, 200);
    // Timers may be a millisecond early.
    if (proxies.length === 0) assert.ok(performance.now() - toldMs >= 1.5 * comeBackMs - 5);
    for (const peer of [first, deaf]) peer.destroy();
  }
});
