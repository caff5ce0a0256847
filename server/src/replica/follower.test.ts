import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeLog, NodeRegistry } from '../ports/change-log.ts';
import type { Store } from '../stores/store.ts';
import { newDataDirectory, openTestStore } from '../testing/data.ts';
import { type ManualClock, newManualClock } from '../testing/manual-clock.ts';
import { type Follower, newFollower } from './follower.ts';
import { awaitReceipt, newSightings, type Receipt } from './receipt.ts';
import { newReplica, type Replica } from './replica.ts';

const LEASE_MS = 6_000;
const DEAF = { key: () => {}, clientChanged: () => {}, reset: () => {} };

type Node = {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly replica: Replica;
  readonly follower: Follower;
  readonly name: string;
  /** Set to make the exchange of that name fail, as a store out of reach does. */
  readonly broken: Set<'poll' | 'renew'>;
  readonly failures: string[];
};

/** A follower on a real store, its time in the test's hands and its way to the store breakable. */
async function withNode(body: (node: Node) => Promise<void>, leaseMs = LEASE_MS): Promise<void> {
  const clock = newManualClock();
  const store = await openTestStore(newDataDirectory(), clock);
  const replica = newReplica(DEAF);
  const broken = new Set<'poll' | 'renew'>();
  const failures: string[] = [];
  const unless = <T>(name: 'poll' | 'renew', exchange: () => Promise<T>): Promise<T> =>
    broken.has(name) ? Promise.reject(new Error('out of reach')) : exchange();
  const log: ChangeLog = {
    ...store.log,
    poll: (after) => unless('poll', () => store.log.poll(after)),
    // Only polling: every hint is lost.
    watch: () => () => {},
  };
  const nodes: NodeRegistry = {
    ...store.nodes,
    renew: (node, applied) => unless('renew', () => store.nodes.renew(node, applied)),
  };
  const { node: name } = store.takeNode();
  const follower = newFollower(
    {
      log,
      nodes,
      replica,
      clock,
      node: { node: name, version: '1', listen: 'l', process: 'p' },
      onFailure: (step) => failures.push(step),
    },
    { leaseMs, pollIntervalMs: 100 },
  );
  await follower.start();
  try {
    await body({ store, clock, replica, follower, name, broken, failures });
  } finally {
    await follower.stop();
    await store.close();
  }
}

/** Waits for what the store's own thread does in real time. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 2_000; looks += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.fail(`never: ${what}`);
}

let made = 0;
function newProgram(store: Store) {
  made += 1;
  return store.commit({
    change: { kind: 'program.create', programId: `program_${made}`, name: 'x' },
    actor: 'test',
    atMs: 1,
  });
}

/** Lets time pass in steps that wake every sleeper in its turn. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets little time pass, and leaves the store's own thread enough to keep up on a busy machine. */
async function trickle(clock: ManualClock): Promise<void> {
  clock.advance(10);
  await new Promise((resolve) => setTimeout(resolve, 2));
}

test('a started node may decide, is registered, and has applied the log to its end', () =>
  withNode(async ({ store, follower, replica, name }) => {
    assert.equal(follower.mayDecide(), true);
    assert.equal(replica.position.sequence, (await store.log.poll(0)).head);
    assert.deepEqual(
      (await store.nodes.list()).map((row) => row.node),
      [name],
    );
  }));

test('with every hint lost a change is applied by the next poll, and acknowledged', () =>
  withNode(async ({ store, clock, replica }) => {
    const { sequence } = await newProgram(store);
    assert.ok(replica.position.sequence < sequence);
    clock.advance(100);
    await until('applied', () => replica.position.sequence === sequence);
    await until('acknowledged', async () => {
      const [row] = await store.nodes.list();
      return row?.appliedSequence === sequence;
    });
  }));

test('without news from the store a node decides until its lease ends, and no longer', () =>
  withNode(async ({ clock, follower, broken, failures }) => {
    const remainingMs = follower.leaseRemainingMs();
    broken.add('poll').add('renew');
    clock.advance(remainingMs - 1);
    assert.equal(follower.mayDecide(), true);
    clock.advance(1);
    assert.equal(follower.mayDecide(), false);
    await until('told', () => failures.includes('renew'));
    broken.clear();
    await until('recovered', () => {
      clock.advance(100);
      return follower.mayDecide();
    });
  }));

test('a poll that only reads extends no lease', () =>
  withNode(async ({ clock, follower, broken, replica, store }) => {
    broken.add('renew');
    const { sequence } = await newProgram(store);
    await pass(clock, LEASE_MS);
    assert.equal(replica.position.sequence, sequence, 'the polls went on');
    assert.equal(follower.mayDecide(), false);
  }));

test('a node that was written off refuses until it has registered anew', () =>
  withNode(async ({ clock, follower, store, name, broken }) => {
    broken.add('renew');
    clock.advance(LEASE_MS);
    assert.equal(follower.mayDecide(), false);
    const [row] = await store.nodes.list();
    assert.equal(await store.nodes.fence(name, row?.renewals ?? -1), true);
    broken.clear();
    await until('decides again', () => {
      clock.advance(100);
      return follower.mayDecide();
    });
    const [again] = await store.nodes.list();
    assert.equal(again?.node, name);
  }));

test('a receipt waits for a silent node as long as the lease in its row, plus the margin', () =>
  withNode(async ({ clock, follower, store, broken, name }) => {
    broken.add('renew').add('poll');
    const change = await newProgram(store);
    const startedMs = clock.monotonicMs();
    let decidedAfterMs = 0;
    const receipt = awaitReceipt({ nodes: neverDead(store.nodes), clock }, change, 60_000);
    let complete = false;
    void receipt.then(() => {
      complete = true;
    });
    while (!complete) {
      await trickle(clock);
      if (follower.mayDecide()) decidedAfterMs = clock.monotonicMs() - startedMs;
    }
    const { fenced, confirmed } = await receipt;
    assert.deepEqual(confirmed, []);
    assert.equal(fenced[0]?.node, name);
    assert.ok((fenced[0]?.ms ?? 0) >= LEASE_MS * 1.01 + 1_000);
    assert.ok(decidedAfterMs < (fenced[0]?.ms ?? 0), 'it had stopped deciding before');
  }));

test('a receipt asked for again and again in short waits writes a silent node off all the same', () =>
  withNode(async ({ clock, store, broken, name }) => {
    broken.add('renew').add('poll');
    const change = await newProgram(store);
    const deps = { nodes: neverDead(store.nodes), clock, sightings: newSightings() };
    const startedMs = clock.monotonicMs();
    const ask = async () => {
      let receipt: Receipt | undefined;
      void awaitReceipt(deps, change, 100).then((answer) => {
        receipt = answer;
      });
      while (receipt === undefined) await trickle(clock);
      return receipt;
    };
    let receipt = await ask();
    while (!receipt.complete && clock.monotonicMs() - startedMs < 4 * LEASE_MS)
      receipt = await ask();
    assert.equal(receipt.fenced[0]?.node, name);
    assert.ok(
      clock.monotonicMs() - startedMs >= LEASE_MS * 1.01 + 1_000,
      'and not before its time',
    );
  }));

test('control: with a lease that its row does not tell, a node decides after the receipt', () =>
  withNode(async ({ clock, follower, store, broken, name }) => {
    // The row promises a tenth of what the node takes: what the receipt relies on is switched off.
    const told = { node: name, leaseMs: LEASE_MS / 10, version: '1', listen: 'l', process: 'p' };
    await store.nodes.register(told);
    broken.add('renew').add('poll');
    const change = await newProgram(store);
    let complete = false;
    const receipt = awaitReceipt({ nodes: neverDead(store.nodes), clock }, change, 60_000);
    void receipt.then(() => {
      complete = true;
    });
    while (!complete) await trickle(clock);
    assert.equal((await receipt).complete, true);
    assert.equal(follower.mayDecide(), true, 'the promise is broken, and this test can see it');
  }));

test('a node whose row renews without a word of the change is waited for as long as its lease, and its row stays', () =>
  withNode(async ({ clock, store, broken, name }) => {
    // As a node does whose replies come too late: each of its renewals is committed, and it hears of none.
    broken.add('renew').add('poll');
    const change = await newProgram(store);
    const receipt = awaitReceipt({ nodes: neverDead(store.nodes), clock }, change, 60_000);
    let done = false;
    void receipt.then(() => {
      done = true;
    });
    while (!done) {
      await store.nodes.renew(name, { sequence: 0, changeId: '' });
      await pass(clock, LEASE_MS / 6);
    }
    const { complete, fenced } = await receipt;
    assert.deepEqual([complete, fenced[0]?.node], [true, name]);
    const waitedMs = fenced[0]?.ms ?? 0;
    assert.ok(waitedMs >= LEASE_MS * 1.01 + 1_000, `not before its time: ${waitedMs}`);
    assert.ok(waitedMs < LEASE_MS * 1.01 + 1_000 + LEASE_MS / 6, `no longer: ${waitedMs}`);
    const rows = await store.nodes.list();
    assert.deepEqual(
      rows.map(({ node }) => node),
      [name],
      'it may decide with the change, so the next receipt must know of it',
    );
  }));

test('a store that gave the number to another change has no receipt for it', () =>
  withNode(async ({ clock, store }) => {
    const { sequence } = await newProgram(store);
    const lost = { sequence, changeId: 'of a lost history' };
    const receipt = awaitReceipt({ nodes: store.nodes, clock }, lost, 1_000);
    const refused = assert.rejects(receipt, { name: 'StoreUnavailable', message: /lost/ });
    await pass(clock, 1_500);
    await refused;
  }));

test('whoever asks to catch up while a poll is under way gets one that begins later', () =>
  withNode(async ({ store, follower, replica }) => {
    const running = follower.catchUp();
    const { sequence } = await newProgram(store);
    await follower.catchUp();
    assert.equal(replica.position.sequence, sequence);
    await running;
  }));

/** The same registry where nobody can tell whether a process is gone, as on another machine. */
function neverDead(nodes: NodeRegistry): NodeRegistry {
  return { ...nodes, isDead: () => Promise.resolve(false) };
}
