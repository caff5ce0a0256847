/** What every store must do with suspensions: rows of which any open one suspends, ends of their own, and who wins a race. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Change } from '../../ports/store.ts';
import { newReplica } from '../../replica/replica.ts';
import type { Store } from '../store.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type Owner = { readonly programId: string } | { readonly clientId: string };

export function suspensionContract(
  name: string,
  open: (data: string) => Promise<Store>,
  newData: () => string,
): void {
  const withStore = async (body: (world: World) => Promise<void>): Promise<void> => {
    const store = await open(newData());
    try {
      await body(await worldOn(store));
    } finally {
      await store.close();
    }
  };

  describe(name, () => {
    test('a program or client is suspended while any of its suspensions is open, and is raised once', () =>
      withStore(async (world) => {
        for (const { suspend, end, owner, stands } of [world.program, world.client]) {
          const first = await suspend({ reason: 'leak' });
          const second = await suspend({ reason: 'fraud' });
          assert.deepEqual([first.changed, second.changed], [true, true]);
          assert.deepEqual(await stands(), { suspended: true, generation: 1, reason: 'leak' });
          const rows = await world.store.directory.suspensions({ ...owner, openOnly: true });
          assert.deepEqual(
            rows.map(({ reason }) => reason),
            ['leak', 'fraud'],
          );
          await end({ suspension: rows[0]?.ordinal });
          assert.deepEqual(await stands(), { suspended: true, generation: 1, reason: 'fraud' });
          await end({ suspension: rows[1]?.ordinal });
          assert.deepEqual(await stands(), { suspended: false, generation: 1, reason: undefined });
          const closed = await world.store.directory.suspensions({ ...owner, openOnly: false });
          assert.deepEqual(
            closed.map(({ closedBy }) => closedBy),
            ['test:contract', 'test:contract'],
          );
        }
      }));

    test('the very same suspension again is the earlier change; after a reactivation it is a new one', () =>
      withStore(async ({ client }) => {
        const first = await client.suspend({ reason: 'leak', untilMs: 9_000 });
        const other = await client.suspend({ reason: 'leak' });
        const asked = await client.suspend({ reason: 'leak', untilMs: 9_000 });
        assert.deepEqual([asked.sequence, asked.changed], [other.sequence, false]);
        assert.ok(other.sequence > first.sequence);
        await client.end({});
        const again = await client.suspend({ reason: 'leak' });
        assert.equal(again.changed, true);
        assert.equal((await client.stands()).generation, 2);
      }));

    test('a suspension wins over a reactivation that was decided before it', () =>
      withStore(async (world) => {
        for (const { suspend, end, stands, owner } of [world.program, world.client]) {
          await suspend({ reason: 'leak' });
          const open = await world.store.directory.suspensions({ ...owner, openOnly: true });
          const known = open.map(({ ordinal }) => ordinal);
          await suspend({ reason: 'leaked once more' });
          await assert.rejects(end({ known }), { name: 'ChangeRefused', code: 'conflict' });
          assert.equal((await stands()).suspended, true);
          const now = await world.store.directory.suspensions({ ...owner, openOnly: true });
          assert.equal(now.length, 2);
          await end({ known: now.map(({ ordinal }) => ordinal) });
          assert.equal((await stands()).suspended, false);
        }
      }));

    test('many who suspend and reactivate at once are serialised, each with its audit line, and the last one decides', () =>
      withStore(async ({ store, client }) => {
        const asked = Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? client.suspend({ reason: `leak ${index}` }) : client.end({}),
        );
        const done = (await Promise.all(asked)).filter(({ changed }) => changed);
        const last = Math.max(...done.map(({ sequence }) => sequence));
        const lines = await store.audit.lines({ limit: 1_000 });
        const ours = lines.filter(({ target }) => target === client.target).slice(1);
        assert.deepEqual(
          ours.map(({ change }) => change),
          done.map(({ sequence }) => sequence).sort((a, b) => a - b),
        );
        const final = ours.find(({ change }) => change === last)?.action === 'client.suspend';
        assert.equal((await client.stands()).suspended, final);
        const open = await store.directory.suspensions({ ...client.owner, openOnly: true });
        assert.equal(open.length > 0, final);
      }));

    test('a suspension ends when its time has come, that one alone, once, and nothing revives', () =>
      withStore(async ({ store, program, client }) => {
        await program.suspend({ reason: 'maintenance', untilMs: 5_000 });
        await client.suspend({ reason: 'maintenance', untilMs: 5_000 });
        await client.suspend({ reason: 'leak' });
        assert.deepEqual(await store.directory.dueSuspensions(4_999, 10), []);
        const due = await store.directory.dueSuspensions(5_000, 10);
        assert.equal(due.length, 2);
        const before = await client.generation();
        const early = await commit(store, ended(due, 4_999));
        assert.equal(early.changed, false);
        const [first, second] = await Promise.all([
          commit(store, ended(due, 5_000)),
          commit(store, ended(due, 5_000)),
        ]);
        assert.deepEqual([first.changed, second.changed].sort(), [false, true]);
        assert.deepEqual(await program.stands(), {
          suspended: false,
          generation: 1,
          reason: undefined,
        });
        assert.deepEqual(await client.stands(), { suspended: true, generation: 1, reason: 'leak' });
        assert.equal(await client.generation(), before);
        assert.deepEqual(await store.directory.dueSuspensions(5_000, 10), []);
        assert.equal((await store.audit.lines({ action: 'suspension.end', limit: 9 })).length, 1);
      }));

    test('the end of a suspension reaches who follows the log as whoever loads', () =>
      withStore(async ({ store, client, program }) => {
        await program.suspend({ reason: 'a', untilMs: 5_000 });
        await client.suspend({ reason: 'b', untilMs: 5_000 });
        const followed = newReplica(DEAF);
        await store.log.snapshot((snapshot) => followed.load(snapshot));
        await commit(store, ended(await store.directory.dueSuspensions(5_000, 10), 5_000));
        const asked = followed.position;
        followed.take(await store.log.poll(asked.sequence), asked);
        const loaded = newReplica(DEAF);
        await store.log.snapshot((snapshot) => loaded.load(snapshot));
        for (const replica of [followed, loaded]) {
          const ordinal = replica.clients.find(client.target) ?? 0;
          assert.equal(replica.clients.state(ordinal), 'active');
          assert.equal(replica.program(replica.clients.program(ordinal))?.suspended, false);
          assert.equal(replica.generationOf(ordinal), 2);
        }
      }));

    test('a deleted client has no open suspension, so nothing is left to end', () =>
      withStore(async ({ store, client }) => {
        await client.suspend({ reason: 'leak', untilMs: 5_000 });
        await commit(store, { kind: 'client.delete', clientId: client.target });
        assert.deepEqual(await store.directory.dueSuspensions(9_000, 10), []);
      }));
  });
}

const DEAF = { key: () => {}, clientChanged: () => {}, reset: () => {} };

function commit(store: Store, change: Change) {
  return store.commit({ change, actor: 'test:contract', atMs: 1_000 });
}

const ended = (suspensions: readonly number[], dueAtMs: number): Change => ({
  kind: 'suspension.end',
  suspensions,
  dueAtMs,
});

type Subject = {
  readonly target: string;
  readonly owner: Owner;
  suspend(asked: { reason: string; untilMs?: number }): ReturnType<Store['commit']>;
  end(asked: Pick<Of<'client.reactivate'>, 'known' | 'suspension'>): ReturnType<Store['commit']>;
  stands(): Promise<{ suspended: boolean; generation: number; reason: string | undefined }>;
};
type World = {
  readonly store: Store;
  readonly program: Subject;
  readonly client: Subject & { generation(): Promise<number> };
};

async function worldOn(store: Store): Promise<World> {
  const programId = 'program_0000000000000001';
  const clientId = 'client_test_0000000000000001';
  await commit(store, { kind: 'program.create', programId, name: 'Program' });
  await commit(store, {
    kind: 'client.create',
    ...{ clientId, programId, environment: 'sandbox', name: 'server' },
    ...{ scope: [], resources: [], allowIp: [], tokenLifetimeSeconds: 3600, resourceServer: false },
    secret: { secretId: 'sec_1', mac: Buffer.alloc(32, 1), pepperVersion: 1, hint: 'abcd' },
  });
  return {
    store,
    program: {
      target: programId,
      owner: { programId },
      suspend: (asked) => commit(store, { kind: 'program.suspend', programId, ...asked }),
      end: (asked) => commit(store, { kind: 'program.reactivate', programId, ...asked }),
      stands: async () => {
        const [row] = await store.directory.programs({ programId });
        const { suspended = false, generation = -1, suspendedReason: reason } = row ?? {};
        return { suspended, generation, reason };
      },
    },
    client: {
      target: clientId,
      owner: { clientId },
      suspend: (asked) => commit(store, { kind: 'client.suspend', clientId, ...asked }),
      end: (asked) => commit(store, { kind: 'client.reactivate', clientId, ...asked }),
      stands: async () => {
        const [row] = await store.directory.clients({ clientId });
        const { state, generation = -1, suspendedReason: reason } = row ?? {};
        return { suspended: state === 'suspended', generation, reason };
      },
      generation: async () => {
        const replica = newReplica(DEAF);
        await store.log.snapshot((snapshot) => replica.load(snapshot));
        return replica.generationOf(replica.clients.find(clientId) ?? 0);
      },
    },
  };
}
