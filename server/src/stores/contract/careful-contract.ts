/** What every store does for whoever asks carefully: only if nothing has changed since, and once for one key. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Change, ChangeRefused, Command, Committed } from '../../ports/store.ts';
import type { Store } from '../store.ts';
import type { OpenStore } from './store-contract.ts';

const RACERS = 50;
const DAY_MS = 24 * 60 * 60 * 1000;
let made = 0;

export function carefulContract(name: string, open: OpenStore, newData: () => string): void {
  const withStore = async (body: (store: Store, data: string) => Promise<void>): Promise<void> => {
    const data = newData();
    const store = await open(data);
    try {
      await body(store, data);
    } finally {
      await store.close();
    }
  };

  describe(`careful changes of ${name}`, () => {
    test('of fifty who insist on the same last change one wins, and nothing of the others is written', () =>
      withStore(async (store, data) => {
        const programId = await newProgram(store);
        const change = await store.directory.lastChange(programId);
        const other = await open(data);
        const { head } = await store.log.poll(0);
        const results = await Promise.allSettled(
          Array.from({ length: RACERS }, (_, index) =>
            commit(index % 2 === 0 ? store : other, {
              change: { kind: 'program.suspend', programId, reason: `racer ${index}` },
              expected: { target: programId, change },
            }),
          ),
        );
        await other.close();
        assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
        for (const result of results) {
          if (result.status === 'rejected') assert.equal(result.reason.code, 'stale');
        }
        assert.equal((await store.log.poll(0)).head, head + 1);
        assert.equal(await store.directory.lastChange(programId), head + 1);
      }));

    test('a stale change is refused even when it would change nothing', () =>
      withStore(async (store) => {
        const programId = await newProgram(store);
        const change = await store.directory.lastChange(programId);
        const suspend: Change = { kind: 'program.suspend', programId, reason: 'x' };
        await commit(store, { change: suspend });
        const expected = { target: programId, change };
        await assert.rejects(commit(store, { change: suspend, expected }), refusal('stale'));
      }));

    test('one key creates once, whoever asks at the same time', () =>
      withStore(async (store, data) => {
        const other = await open(data);
        const before = (await store.directory.programs()).length;
        const results = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            commit(index % 2 === 0 ? store : other, onceCommand('key-1')),
          ),
        );
        await other.close();
        assert.equal((await store.directory.programs()).length, before + 1);
        const first = results.filter(({ replayed }) => replayed === undefined);
        assert.equal(first.length, 1);
        for (const { sequence, replayed } of results) {
          assert.equal(sequence, first[0]?.sequence);
          if (replayed !== undefined) assert.deepEqual(Object.keys(replayed), ['program_id']);
        }
        const ids = new Set(results.flatMap(({ replayed }) => replayed?.['program_id'] ?? []));
        assert.equal(ids.size, 1);
        const [known] = await store.directory.programs({ programId: String([...ids][0]) });
        assert.notEqual(known, undefined);
      }));

    test('a key is good for one request of one caller, for a day, and not at all once it was refused', () =>
      withStore(async (store) => {
        await commit(store, onceCommand('key-2'));
        const otherRequest = onceCommand('key-2', { request: 'another' });
        await assert.rejects(commit(store, otherRequest), refusal('key-reused'));
        const otherCaller = onceCommand('key-2', { caller: 'operator:b' });
        assert.equal((await commit(store, otherCaller)).replayed, undefined);
        const late = { ...onceCommand('key-2'), atMs: 1_000 + DAY_MS + 1 };
        assert.equal((await commit(store, late)).replayed, undefined);

        const refused: Command = {
          ...onceCommand('key-3'),
          change: { kind: 'program.suspend', programId: 'program_none', reason: 'x' },
        };
        await assert.rejects(commit(store, refused), refusal('not-found'));
        assert.equal((await commit(store, onceCommand('key-3'))).replayed, undefined);
      }));
  });
}

function commit(store: Store, command: Partial<Command> & Pick<Command, 'change'>) {
  return store.commit({ actor: 'test:contract', atMs: 1_000, ...command }) as Promise<Committed>;
}

async function newProgram(store: Store): Promise<string> {
  const change = programChange();
  await commit(store, { change });
  return change.programId;
}

function programChange(): Extract<Change, { kind: 'program.create' }> {
  made += 1;
  return { kind: 'program.create', programId: `program_careful${made}`, name: 'Careful' };
}

function onceCommand(key: string, once: Partial<NonNullable<Command['once']>> = {}): Command {
  const change = programChange();
  const program_id = change.programId;
  return {
    change,
    actor: 'operator:a',
    atMs: 1_000,
    once: { caller: 'operator:a', key, request: 'digest', made: { program_id }, ...once },
  };
}

function refusal(code: ChangeRefused['code']): { name: string; code: string } {
  return { name: 'ChangeRefused', code };
}
