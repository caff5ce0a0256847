/** What every store must do, whatever engine it stands on: run once for each adapter. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditHash } from '../../ports/audit-chain.ts';
import type { Fact } from '../../ports/change-log.ts';
import { type Change, ChangeRefused } from '../../ports/store.ts';
import { newReplica, type Replica } from '../../replica/replica.ts';
import type { Store } from '../store.ts';
import { clientContract } from './client-contract.ts';
import { commit, newClient, newProgram, newSecret, onboard, refusal } from './sample-changes.ts';

/** Opens a store on fresh data; a second call with the same `data` opens the same data again. */
export type OpenStore = (data: string) => Promise<Store>;

const WRITERS = 50;

export function storeContract(name: string, open: OpenStore, newData: () => string): void {
  const withStore = async (body: (store: Store, data: string) => Promise<void>): Promise<void> => {
    const data = newData();
    const store = await open(data);
    try {
      await body(store, data);
    } finally {
      await store.close();
    }
  };

  describe(name, () => {
    clientContract(withStore);

    test('numbers of changes are gapless and in commit order, whoever writes and whatever is refused', () =>
      withStore(async (store, data) => {
        const other = await open(data);
        const before = (await store.log.poll(0)).head;
        const results = await Promise.allSettled(
          Array.from({ length: WRITERS }, (_, index) => {
            const change: Change =
              index % 5 === 4
                ? { kind: 'program.suspend', programId: 'program_none', reason: 'x' }
                : newProgram();
            return commit(index % 2 === 0 ? store : other, change);
          }),
        );
        await other.close();
        const numbers = results.flatMap((result) =>
          result.status === 'fulfilled' ? [result.value.sequence] : [],
        );
        assert.equal(numbers.length, (WRITERS * 4) / 5);
        const expected = numbers.map((_, index) => before + 1 + index);
        assert.deepEqual(
          [...numbers].sort((a, b) => a - b),
          expected,
        );
        const logged = (await store.log.poll(before)).changes.map((change) => change.sequence);
        assert.deepEqual(logged, expected);
      }));

    test('a refused change leaves no trace', () =>
      withStore(async (store) => {
        const before = await traces(store);
        const { clientId } = await onboard(store);
        const refused: Change[] = [
          { kind: 'program.suspend', programId: 'program_none', reason: 'x' },
          { kind: 'client.suspend', clientId: 'client_none', reason: 'x' },
          { kind: 'secret.revoke', secretId: 'sec_none', killTokens: true },
          { kind: 'scope.create', environment: 'moon', name: 'x' },
          newClient('program_none'),
        ];
        const onboarded = await traces(store);
        assert.notDeepEqual(onboarded, before);
        for (const change of refused) {
          await assert.rejects(commit(store, change), { name: 'ChangeRefused' });
        }
        assert.deepEqual(await traces(store), onboarded);
        assert.equal((await store.directory.clients({ clientId })).length, 1);
      }));

    test('suspending raises the generation once, and what is asked again is the earlier change', () =>
      withStore(async (store) => {
        const { programId } = await onboard(store);
        const suspend: Change = { kind: 'program.suspend', programId, reason: 'leak' };
        const first = await commit(store, suspend);
        const again = await commit(store, suspend);
        const { sequence, changeId } = first;
        assert.deepEqual(again, { sequence, changeId, changed: false });
        const [program] = await store.directory.programs({ programId });
        assert.equal(program?.generation, 1);
        assert.equal(program?.suspendedReason, 'leak');
        await commit(store, { kind: 'program.reactivate', programId });
        const [reactivated] = await store.directory.programs({ programId });
        assert.equal(reactivated?.generation, 1);
        assert.equal(reactivated?.suspended, false);
      }));

    test('a deleted client leaves a tombstone: its id and its ordinal are never given out again', () =>
      withStore(async (store) => {
        const { programId, clientId } = await onboard(store);
        const [before] = await store.directory.clients({ clientId });
        await commit(store, { kind: 'client.delete', clientId });
        await assert.rejects(commit(store, { ...newClient(programId), clientId } as Change));
        const next = newClient(programId);
        await commit(store, next);
        const [after] = await store.directory.clients({ clientId: next.clientId });
        assert.ok((after?.ordinal ?? 0) > (before?.ordinal ?? 0));
        await assert.rejects(commit(store, { kind: 'client.reactivate', clientId }), {
          name: 'ChangeRefused',
        });
      }));

    test('a client has two live secrets at most, and a rotation never lengthens a life', () =>
      withStore(async (store) => {
        const { clientId } = await onboard(store, { expiresAtMs: 5_000 });
        await commit(store, rotate(clientId, 9_000), 1_000);
        const [old, young] = await store.directory.secrets({ clientId });
        assert.equal(old?.expiresAtMs, 5_000);
        assert.equal(young?.expiresAtMs, undefined);
        const third: Change = { kind: 'secret.create', clientId, secret: newSecret() };
        await assert.rejects(commit(store, third, 1_000), refusal('limit'));
        await assert.rejects(commit(store, rotate(clientId, 9_000), 1_000), refusal('limit'));
        await commit(store, third, 6_000);
      }));

    test('a rotation without overlap revokes at once, and leaves nothing to the clock of a node', () =>
      withStore(async (store) => {
        const { clientId, ordinal } = await onboard(store);
        await commit(store, rotate(clientId, 1_000), 1_000);
        const { client } = await store.log.loadClient(ordinal);
        assert.deepEqual(
          client?.secrets.map(({ revoked }) => revoked),
          [false, true],
        );
        const [old] = await store.directory.secrets({ clientId });
        assert.equal(old?.revokedAtMs, 1_000);
      }));

    test('a replica that followed the log equals one that was loaded from a snapshot', () =>
      withStore(async (store) => {
        const followed = newReplica(DEAF);
        await store.log.snapshot((snapshot) => followed.load(snapshot));
        const { programId, clientId, ordinal } = await onboard(store);
        await commit(store, { kind: 'scope.create', environment: 'sandbox', name: 'a' });
        await commit(store, { kind: 'resource.create', environment: 'sandbox', uri: 'urn:a' });
        await commit(store, {
          kind: 'scope-set.intern',
          environment: 1,
          client: ordinal,
          scope: 'a',
        });
        await commit(store, { kind: 'client.suspend', clientId, reason: 'x' });
        await commit(store, { kind: 'client.reactivate', clientId });
        await commit(store, { kind: 'program.suspend', programId, reason: 'x' });
        const [secret] = await store.directory.secrets({ clientId });
        const secretId = secret?.secretId ?? '';
        await commit(store, { kind: 'secret.revoke', secretId, killTokens: true });
        await commit(store, revokeToken('jti', ordinal));
        await commit(store, { kind: 'policy.set', name: 'token-in-url', value: 'report' });
        const asked = followed.position;
        assert.equal(followed.take(await store.log.poll(asked.sequence), asked), 'current');
        const loaded = newReplica(DEAF);
        await store.log.snapshot((snapshot) => loaded.load(snapshot));
        assert.deepEqual(seen(followed, ordinal), seen(loaded, ordinal));
        assert.equal(loaded.policy('token-in-url'), 'report');
        assert.equal(loaded.isTokenRevoked('jti'), true);
        assert.equal(loaded.isSecretKilled(secret?.ordinal ?? 0), true);
      }));

    test('above a thousand revoked tokens the generation of their client is raised instead', () =>
      withStore(async (store) => {
        const { clientId, ordinal } = await onboard(store);
        const revoke = (index: number) => commit(store, revokeToken(`jti-${index}`, ordinal));
        // A few at a time: a store may refuse those that would have to wait for long.
        for (let first = 0; first < 1_000; first += WRITERS) {
          await Promise.all(Array.from({ length: WRITERS }, (_, index) => revoke(first + index)));
        }
        assert.equal((await store.directory.clients({ clientId }))[0]?.generation, 0);
        await revoke(1_000);
        const [client] = await store.directory.clients({ clientId });
        assert.equal(client?.generation, 1);
        const kept = await factsOf(store);
        assert.equal(kept.filter((fact) => fact.is === 'revoked-token').length, 0);
      }));

    test('a scope combination has one number, and a client can mint only so many', () =>
      withStore(async (store) => {
        const { ordinal } = await onboard(store);
        const intern = (scope: string) =>
          commit(store, { kind: 'scope-set.intern', environment: 1, client: ordinal, scope });
        const first = await intern('a b');
        assert.equal(first.changed, true);
        assert.equal((await intern('a b')).changed, false);
        let refused = 0;
        const mint = (index: number): Promise<void> =>
          intern(`s${index}`).then(
            () => {},
            (error: unknown) => {
              assert.ok(error instanceof ChangeRefused && error.code === 'limit', String(error));
              refused += 1;
            },
          );
        // A few at a time: a store may refuse those that would have to wait for long.
        for (let at = 0; at < 300; at += WRITERS) {
          await Promise.all(Array.from({ length: WRITERS }, (_, index) => mint(at + index)));
        }
        assert.ok(refused > 0);
        const sets = (await factsOf(store)).filter((fact) => fact.is === 'scope-set');
        // One is the empty set that came with the client.
        assert.equal(sets.length, 256);
        assert.equal(new Set(sets.map((set) => set.id)).size, sets.length);
      }));

    test('every change has its audit line, chained to the one before', () =>
      withStore(async (store) => {
        await onboard(store);
        const links = await store.audit.chain({ after: 0, limit: 100 });
        const changes = (await store.log.poll(0)).changes.map((change) => change.sequence);
        const lines = await store.audit.lines({ limit: 100 });
        assert.deepEqual(
          lines.flatMap((line) => (line.change === undefined ? [] : [line.change])),
          changes,
        );
        let previous = '';
        for (const [index, { sequence, line, hash }] of links.entries()) {
          assert.equal(sequence, index + 1);
          assert.equal(hash, auditHash(previous, sequence, line));
          previous = hash;
        }
        const { incarnation } = await store.log.poll(0);
        assert.deepEqual(
          { ...(await store.audit.head()) },
          { sequence: links.length, hash: previous, incarnation },
        );
      }));

    test('a node is written off only if it has not renewed since, and then renews no more', () =>
      withStore(async (store) => {
        const { node } = store.takeNode();
        await store.nodes.register({
          node,
          leaseMs: 1_000,
          version: '1',
          listen: 'l',
          process: 'p',
        });
        const poll = await store.nodes.renew(node, { sequence: 0, changeId: '' });
        assert.equal(poll?.head, (await store.log.poll(0)).head);
        const [row] = await store.nodes.list();
        const renewals = row?.renewals ?? -1;
        assert.equal(await store.nodes.fence(node, renewals - 1), false);
        assert.equal(await store.nodes.fence(node, renewals), true);
        assert.equal(await store.nodes.renew(node, { sequence: 0, changeId: '' }), undefined);
        await store.nodes.acknowledge(node, { sequence: 1, changeId: '' });
        assert.deepEqual(await store.nodes.list(), []);
      }));

    test('a counter of renewals moves on by chance, so that one that went back never tells of silence', () =>
      withStore(async (store) => {
        const { node } = store.takeNode();
        const about = { node, leaseMs: 1_000, version: '1', listen: 'l', process: 'p' };
        const counters: number[] = [];
        const steps = () => counters.slice(1).map((counter, at) => counter - (counters[at] ?? 0));
        for (let renewed = 0; renewed < 3; renewed += 1) {
          if (renewed === 0) await store.nodes.register(about);
          else await store.nodes.renew(node, { sequence: 0, changeId: '' });
          counters.push((await store.nodes.list())[0]?.renewals ?? -1);
        }
        assert.ok(Math.min(...steps()) >= 1, `${counters}`);
        assert.ok(Math.max(...steps()) > 1, `${counters}`);
        assert.ok(Number.isSafeInteger(Math.max(...counters)));
      }));

    test('a node confirms a change only where the store has that very change', () =>
      withStore(async (store) => {
        const { node } = store.takeNode();
        const about = { node, leaseMs: 1_000, version: '1', listen: 'l', process: 'p' };
        await store.nodes.register(about);
        const applied = async () => (await store.nodes.list())[0]?.appliedSequence;
        const { position } = await store.log.snapshot((at) => ({ position: at.position }));
        const elsewhere = { ...position, changeId: 'of a lost history' };
        await store.nodes.acknowledge(node, elsewhere);
        await store.nodes.renew(node, elsewhere);
        assert.equal(await applied(), 0);
        await store.nodes.acknowledge(node, position);
        assert.equal(await applied(), position.sequence);
      }));

    test('a renewal confirms what its node has applied, and takes no confirmation back', () =>
      withStore(async (store) => {
        const { node } = store.takeNode();
        const about = { node, leaseMs: 1_000, version: '1', listen: 'l', process: 'p' };
        await store.nodes.register(about);
        const { position } = await store.log.snapshot((at) => ({ position: at.position }));
        const applied = async () => (await store.nodes.list())[0]?.appliedSequence;
        await store.nodes.renew(node, position);
        assert.equal(await applied(), position.sequence);
        await store.nodes.renew(node, { sequence: 0, changeId: '' });
        assert.equal(await applied(), position.sequence);
      }));

    test('a commit names its change as the log does, by its number and by its id', () =>
      withStore(async (store) => {
        const { sequence, changeId } = await commit(store, newProgram());
        const { changes } = await store.log.poll(sequence - 1);
        assert.deepEqual(
          changes.map((change) => [change.sequence, change.changeId]),
          [[sequence, changeId]],
        );
      }));

    test('nodes are listed for a change only by a store that has that very change', () =>
      withStore(async (store) => {
        const { node } = store.takeNode();
        await store.nodes.register({
          node,
          leaseMs: 1_000,
          version: '1',
          listen: 'l',
          process: 'p',
        });
        const { position } = await store.log.snapshot((at) => ({ position: at.position }));
        const { sequence, changeId } = position;
        const rows = await store.nodes.list();
        const nobody = { sequence: 0, changeId: '' };
        const elsewhere = { sequence, changeId: 'of a lost history' };
        const later = { sequence: sequence + 1, changeId };
        // Asked together, as many who wait ask: each gets an answer of its own.
        const asked = [nobody, position, elsewhere, position, later];
        assert.deepEqual(await Promise.all(asked.map(store.nodes.listAfter)), [
          rows,
          rows,
          undefined,
          rows,
          undefined,
        ]);
      }));

    test('what a client needs at /token comes with the head of the log it was read at', () =>
      withStore(async (store) => {
        const { ordinal, clientId } = await onboard(store);
        const { head, client } = await store.log.loadClient(ordinal);
        assert.equal(head, (await store.log.poll(0)).head);
        assert.equal(client?.clientId, clientId);
        assert.equal(client?.secrets.length, 1);
        assert.equal(client?.secrets[0]?.mac.length, 32);
        assert.equal((await store.log.loadClient(999)).client, undefined);
      }));
  });
}

const DEAF = { key: () => {}, clientChanged: () => {}, reset: () => {} };

function rotate(clientId: string, othersExpireAtMs: number): Change {
  return { kind: 'secret.rotate', clientId, secret: newSecret(), othersExpireAtMs };
}

function revokeToken(jti: string, client: number): Change {
  return { kind: 'token.revoke', jti, client, expiresAtMs: 9_000_000 };
}

async function traces(store: Store): Promise<unknown> {
  const { head } = await store.log.poll(0);
  return { head, audit: await store.audit.head(), facts: (await factsOf(store)).length };
}

function factsOf(store: Store): Promise<readonly Fact[]> {
  return store.log.snapshot(({ facts }) => [...facts]);
}

function seen(replica: Replica, client: number): unknown {
  const { clients } = replica;
  return {
    position: replica.position,
    environments: replica.environments(),
    program: replica.program(clients.program(client)),
    clientId: clients.clientId(client),
    found: clients.find(clients.clientId(client)),
    state: clients.state(client),
    generation: replica.generationOf(client),
    lastSecret: replica.lastSecret,
    policy: replica.policy('token-in-url'),
  };
}
