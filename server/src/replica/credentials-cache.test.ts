import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientCredentials } from '../ports/model.ts';
import { newCredentialsCache } from './credentials-cache.ts';

type Answer = {
  incarnation: string;
  head: number;
  changeId: string;
  client: ClientCredentials | undefined;
};

/** A log whose answers come when the test lets them, as a slow store's would. */
function slowLog() {
  const asked: ((answer: Answer) => void)[] = [];
  let applied = 0;
  const log = {
    loadClient: () => new Promise<Answer>((resolve) => asked.push(resolve)),
  };
  let newest = 0;
  const cache = newCredentialsCache({
    log: log as never,
    position: () => ({ incarnation: 'one', sequence: applied, changeId: '' }),
    changeIdAt: (sequence) => (sequence <= applied ? `one-${sequence}` : undefined),
    catchUp: async () => {
      await Promise.resolve();
      applied = newest;
    },
  });
  const answer = async (
    secrets: number,
    head = applied,
    { incarnation = 'one', history = 'one' } = {},
  ): Promise<void> => {
    while (asked.length === 0) await Promise.resolve();
    newest = Math.max(newest, head);
    asked.shift()?.({ incarnation, head, changeId: `${history}-${head}`, client: client(secrets) });
  };
  return {
    cache,
    asked,
    answer,
    applied: () => applied,
    apply: (sequence: number) => {
      applied = sequence;
    },
  };
}

const client = (secrets: number) =>
  ({ ordinal: 1, clientId: 'c', secrets: Array(secrets).fill({}) }) as unknown as ClientCredentials;

test('callers that ask together share one load', async () => {
  const { cache, asked, answer } = slowLog();
  const loads = [cache.load(1), cache.load(1), cache.load(1)];
  await answer(2);
  const loaded = await Promise.all(loads);
  assert.equal(new Set(loaded).size, 1);
  assert.equal(asked.length, 0);
  assert.equal(cache.get(1)?.secrets.length, 2);
});

test('a load from a history that a failover has ended is thrown away, though its numbers and its incarnation fit', async () => {
  for (const ahead of [0, 2]) {
    const { cache, answer, apply } = slowLog();
    apply(7);
    const load = cache.load(1);
    await answer(2, 7 + ahead, { history: 'lost' });
    await answer(1, 7 + ahead);
    assert.equal((await load)?.secrets.length, 1);
  }
});

test('a load that raced with an invalidation of its client is thrown away and repeated', async () => {
  const { cache, answer } = slowLog();
  const load = cache.load(1);
  await Promise.resolve();
  cache.forget(1);
  await answer(2);
  await answer(1);
  assert.equal((await load)?.secrets.length, 1);
  assert.equal(cache.get(1)?.secrets.length, 1);
});

test('a load from a snapshot older than what is applied is thrown away and repeated', async () => {
  const { cache, answer, apply } = slowLog();
  const load = cache.load(1);
  apply(5);
  await answer(2, 4);
  await answer(1, 5);
  assert.equal((await load)?.secrets.length, 1);
});

test('what is read ahead of the replica is held only once the replica has caught up with it', async () => {
  const { cache, answer, applied, apply } = slowLog();
  apply(5);
  const load = cache.load(1);
  await answer(2, 7);
  assert.equal(cache.get(1), undefined);
  assert.equal((await load)?.secrets.length, 2);
  assert.equal(applied(), 7);
  assert.equal(cache.get(1)?.secrets.length, 2);
});

test('a client that changed while the replica caught up with it is loaded again', async () => {
  const { cache, answer, apply } = slowLog();
  apply(5);
  const load = cache.load(1);
  const answered = answer(2, 7);
  await answered;
  cache.forget(1);
  await answer(1, 7);
  assert.equal((await load)?.secrets.length, 1);
});

test('a load from another store than the one that is followed is thrown away and repeated', async () => {
  const { cache, answer } = slowLog();
  const load = cache.load(1);
  await answer(2, 9, { incarnation: 'two' });
  await answer(1);
  assert.equal((await load)?.secrets.length, 1);
});

test('a client that keeps changing is an outage in the end, not an endless wait', async () => {
  const { cache, answer, apply } = slowLog();
  apply(5);
  const load = cache.load(1);
  const refused = assert.rejects(load, { name: 'StoreUnavailable' });
  for (let tries = 0; tries < 5; tries += 1) await answer(2, 4);
  await refused;
  assert.equal(cache.get(1), undefined);
});

test('what is cached of a client is forgotten when the log says so', async () => {
  const { cache, answer } = slowLog();
  const load = cache.load(1);
  await answer(2);
  await load;
  cache.forget(1);
  assert.equal(cache.get(1), undefined);
});
