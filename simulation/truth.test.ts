import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealToken } from '../server/src/credentials/access-token.ts';
import type { Change } from '../server/src/ports/store.ts';
import { NO_FLAWS } from './code.ts';
import { commitTo } from './commit.ts';
import { ALL_KEYS, ENVIRONMENT, macOf, PEPPER } from './keys.ts';
import { newRandom } from './random.ts';
import { copyOf, emptyState, type State, type StoredChange } from './state.ts';
import { newTruth } from './truth.ts';

const random = newRandom(1);
const PROGRAM = { programId: 'program_1' };
const CLIENT = { clientId: 'client_1' };

const newClient: Change = {
  ...{ kind: 'client.create', ...CLIENT, ...PROGRAM, environment: ENVIRONMENT.name, name: '-' },
  ...{ scope: ['read'], resources: [], allowIp: [], tokenLifetimeSeconds: 60 },
  resourceServer: false,
  secret: {
    ...{ secretId: 'sec_1', mac: macOf('secret'), hint: '-' },
    pepperVersion: PEPPER.version,
  },
};

const newToken = (generation: number): string =>
  sealToken(ALL_KEYS.sealingKey(ENVIRONMENT.ordinal).key, random.bytes(12), {
    ...{ client: 1, generation, secret: 1, issuedAtMs: 0, lifetimeSeconds: 60 },
    ...{ scopeSet: 1, resource: 0 },
  });

test('what stands on a reactivation that a failover lost is held to no promise, whatever numbers the new history gives out', () => {
  let primary: State = emptyState(random, 1);
  const truth = newTruth(() => primary);
  const commit = (change: Change): StoredChange => {
    const changeId = random.bytes(6).toString('base64url');
    const command = { change, actor: '-', atMs: 0, changeId, visibleFromMs: 0 };
    const { sequence } = commitTo(primary, command, NO_FLAWS);
    const stored = primary.changes[sequence - 1] as StoredChange;
    truth.committed(stored, 0);
    return stored;
  };

  commit(newClient);
  const suspended = commit({ kind: 'program.suspend', ...PROGRAM, reason: '-' });
  truth.acknowledged(suspended.changeId, 1);
  const standby = copyOf(primary);
  commit({ kind: 'program.reactivate', ...PROGRAM });
  commit({ kind: 'program.suspend', ...PROGRAM, reason: '-' });
  const lost = commit({ kind: 'program.reactivate', ...PROGRAM });
  primary = standby;
  truth.lost(standby.changes.length, primary);
  // The generation that the lost suspension had made: 2.
  const known = commit({ kind: 'client.suspend', ...CLIENT, reason: '-' });

  assert.equal(truth.issued(newToken(2), lost.changeId).isOrphan, true);
  assert.equal(truth.issued(newToken(2), known.changeId).isOrphan, false);
});
