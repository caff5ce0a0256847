import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import type { Answer } from '../endpoints/exchange.ts';
import { parseAnswers, post, rawPeer } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';
import { type Loop, newTurns } from './turns.ts';

const PEERS = 120;
const BURN_MS = 2;
const TOGETHER = 10;

/** A loop that never rests, at a time that stands still. */
const BUSY: Loop = { nowMs: () => 0, restedMs: () => 0 };

type Limits = { readonly turnMsMax: number; readonly waitingMax: number };

/** A listener with an endpoint that takes its time on the one thread. */
async function burningListener(
  t: Parameters<typeof testListener>[0],
  limits: Limits & { readonly standingMax?: number },
): Promise<number> {
  const burn = (): Answer => {
    const untilMs = performance.now() + BURN_MS;
    while (performance.now() < untilMs);
    return { status: 200, body: '{}' };
  };
  const { port } = await testListener(t, {
    limits: { ...limits, togetherMax: TOGETHER },
    more: [{ path: '/burn', methods: { POST: burn } }],
  });
  return port;
}

/** Sends one request on each of many open connections at once. */
async function floodedWith(
  t: Parameters<typeof testListener>[0],
  limits: Limits,
): Promise<{
  readonly granted: number;
  readonly refused: number;
  readonly turns: number;
}> {
  const port = await burningListener(t, limits);
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
  const turns = newTurns(
    { turnMsMax: 25, togetherMax: 3, waitingMax: 5, standingMax: 5 },
    { ...BUSY, nowMs: () => nowMs },
  );
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

test('once somebody is refused, the queue is kept short until the loop rests for a fifth of the time', async () => {
  let [nowMs, restedMs] = [0, 0];
  const turns = newTurns(
    { turnMsMax: 25, togetherMax: 10, waitingMax: 6, standingMax: 2 },
    { nowMs: () => nowMs, restedMs: () => restedMs },
  );
  /** How many of so many that come at once may wait. */
  const burst = async (count: number): Promise<number> => {
    const taken = Array.from({ length: count }, () => turns.take(() => undefined));
    await new Promise(setImmediate);
    return taken.filter(Boolean).length;
  };
  assert.deepEqual([await burst(6), await burst(6)], [6, 6], 'nobody is refused');
  assert.equal(await burst(7), 6);
  assert.equal(await burst(6), 2);
  [nowMs, restedMs] = [400, 400];
  assert.equal(await burst(6), 2, 'too soon to tell');
  [nowMs, restedMs] = [1_000, 199];
  assert.equal(await burst(6), 2, 'of all that time it rested less than a fifth');
  [nowMs, restedMs] = [1_500, 299];
  assert.equal(await burst(6), 6, 'since then it rested a fifth');
  turns.refused();
  assert.equal(await burst(6), 2, 'there was no room elsewhere');
});

test('a flood leaves nothing behind: once the loop has rested, as many may wait as before', async (t) => {
  const port = await burningListener(t, { turnMsMax: 5, waitingMax: 20, standingMax: 1 });
  const peers = Array.from({ length: PEERS }, () => rawPeer(port));
  /** What so many peers are answered, who ask at once and for the nth time. */
  const ask = async (count: number, path: string, nth: number): Promise<readonly number[]> => {
    const asking = peers.slice(0, count);
    for (const peer of asking) peer.send(post(path, 'a=b'));
    const answers = await Promise.all(asking.map((peer) => peer.answers(nth)));
    return answers.map((all) => all[nth - 1]?.status ?? 0);
  };
  // Until all are connected.
  await ask(PEERS, '/sandbox/token', 1);
  assert.ok((await ask(PEERS, '/burn', 2)).includes(503));
  await new Promise((resolve) => setTimeout(resolve, 800));
  assert.deepEqual(new Set(await ask(15, '/burn', 3)), new Set([200]));
  for (const peer of peers) peer.destroy();
});

test('what was decided together is answered before anything else is heard', async () => {
  const seen: string[] = [];
  const turns = newTurns({ turnMsMax: 25, togetherMax: 2, waitingMax: 4, standingMax: 4 }, BUSY);
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
  const turns = newTurns(
    { turnMsMax: 0, togetherMax: 1, waitingMax: 10, standingMax: 10 },
    { ...BUSY, nowMs: () => performance.now() },
  );
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

/** An endpoint that answers nobody until it is released. */
function heldEndpoint() {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const handle = () => held.then((): Answer => ({ status: 200, body: '{}' }));
  return { more: [{ path: '/held', methods: { POST: handle } }], release };
}

test('whoever finds no room among those being decided keeps the queue short as well', async (t) => {
  const { more, release } = heldEndpoint();
  t.after(() => release());
  const limits = { inFlightMax: 1, waitingMax: 20, standingMax: 1 };
  const { port } = await testListener(t, { limits, more });
  const peers = Array.from({ length: 10 }, () => rawPeer(port));
  t.after(() => peers.map((peer) => peer.destroy()));
  /** What all but the first two are answered, who ask at once for what is known at once. */
  const burst = async (nth: number): Promise<ReadonlySet<number | undefined>> => {
    const asking = peers.slice(2);
    for (const peer of asking) peer.send(post('/sandbox/token', 'a=b'));
    const answers = await Promise.all(asking.map((peer) => peer.answers(nth)));
    return new Set(answers.map((all) => all[nth - 1]?.status));
  };
  assert.ok(!(await burst(1)).has(503));
  const [first, second] = peers;
  first?.send(post('/held', 'a=b'));
  second?.send(post('/held', 'a=b'));
  assert.equal((await second?.answers(1))?.[0]?.status, 503);
  release();
  assert.equal((await first?.answers(1))?.[0]?.status, 200);
  assert.ok((await burst(2)).has(503));
});

test('whoever never waits is told once each time that it is heard', async (t) => {
  const comeBackMs = 300;
  const { more, release } = heldEndpoint();
  t.after(() => release());
  const { port } = await testListener(t, { limits: { inFlightMax: 1, comeBackMs }, more });
  const [first, deaf] = [rawPeer(port), rawPeer(port)];
  t.after(() => [first, deaf].map((peer) => peer.destroy()));
  first.send(post('/held', 'a=b'));
  const toldMs: number[] = [];
  for (const nth of [1, 2, 3, 4]) {
    deaf.send(post('/held', 'a=b'));
    assert.equal((await deaf.answers(nth))[nth - 1]?.status, 503);
    toldMs.push(performance.now());
  }
  const [, second = 0, third = 0, fourth = 0] = toldMs;
  for (const betweenMs of [third - second, fourth - third]) {
    // Timers may be a millisecond early.
    assert.ok(betweenMs >= 1.5 * comeBackMs - 5, `told again after ${betweenMs} ms`);
  }
});

test('whoever does not wait is not heard for a while, once it was told twice; behind a declared proxy it may be another', async (t) => {
  const comeBackMs = 1_000;
  for (const proxies of [[], ['127.0.0.1']]) {
    const { more, release } = heldEndpoint();
    const limits = { inFlightMax: 1, comeBackMs };
    const { port } = await testListener(t, { limits, trustedProxies: proxies, more });
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
