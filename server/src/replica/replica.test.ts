import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact, Poll } from '../ports/change-log.ts';
import { newReplica, type Replica } from './replica.ts';
import { type Standing, standingOf } from './standing.ts';

const DEAF = { key: () => {}, clientChanged: () => {}, reset: () => {} };
const ENVIRONMENT: Fact = {
  is: 'environment',
  ordinal: 1,
  name: 'sandbox',
  tag: 'test',
  issuer: 'https://a',
  generation: 1,
};
const PROGRAM = {
  is: 'program',
  ordinal: 1,
  programId: 'program_1',
  generation: 2,
  suspended: false,
} as const;
const CLIENT = {
  is: 'client',
  ordinal: 5,
  clientId: 'client_test_0123456789abcdef',
  program: 1,
  environment: 1,
  generation: 3,
  state: 'active',
  resourceServer: false,
} as const;
const SECRET = { is: 'secret', ordinal: 9, client: 5, killed: false } as const;
const SCOPE_SET = { is: 'scope-set', environment: 1, id: 1, scope: '' } as const;
const FACTS: readonly Fact[] = [ENVIRONMENT, SCOPE_SET, PROGRAM, CLIENT, SECRET];
const CLAIMS = {
  client: 5,
  generation: 6,
  secret: 9,
  issuedAtMs: 10_500,
  lifetimeSeconds: 60,
  scopeSet: 1,
  resource: 0,
};

function loaded(...more: readonly Fact[]): Replica {
  const replica = newReplica(DEAF);
  const position = { sequence: 10, changeId: 'ten', incarnation: 'one' };
  replica.load({ position, facts: [...FACTS, ...more] });
  return replica;
}

function pollOf(...facts: readonly Fact[][]): Poll {
  return {
    incarnation: 'one',
    changeIdAtAfter: 'ten',
    head: 10 + facts.length,
    changes: facts.map((list, index) => ({
      sequence: 11 + index,
      changeId: `change-${index}`,
      facts: list,
    })),
  };
}

function standing(replica: Replica, claims: Partial<typeof CLAIMS> = {}, nowMs = 20_000): Standing {
  const token = { jti: 'jti', claims: { ...CLAIMS, ...claims } };
  return standingOf(token, { environment: 1, nowMs }, replica);
}

test('a fact of a kind that only a newer version knows is passed over, and the ones beside it count', () => {
  const replica = loaded();
  const newer = { is: 'of-a-newer-version', ordinal: 1 } as unknown as Fact;
  const suspended = { ...PROGRAM, suspended: true, generation: 3 };
  const asked = replica.position;
  assert.equal(replica.take(pollOf([newer, suspended]), asked), 'current');
  assert.equal(replica.program(1)?.suspended, true);
  assert.equal(replica.position.sequence, 11);
});

test('a policy stands at its fallback until it is set, and again after a load of a store that has none', () => {
  const replica = loaded();
  assert.equal(replica.policy('token-in-url'), 'revoke');
  const asked = replica.position;
  replica.take(pollOf([{ is: 'policy', name: 'token-in-url', value: 'report' }]), asked);
  assert.equal(replica.policy('token-in-url'), 'report');
  replica.load({ position: asked, facts: FACTS });
  assert.equal(replica.policy('token-in-url'), 'revoke');
});

test('a poll of another incarnation, of a lower head or of another last change applies nothing', () => {
  for (const wrong of [
    { incarnation: 'two' },
    { head: 9 },
    { changeIdAtAfter: 'reused' },
    { changeIdAtAfter: undefined },
  ]) {
    const replica = loaded();
    const poll = { ...pollOf([{ ...PROGRAM, suspended: true, generation: 3 }]), ...wrong };
    assert.equal(replica.take(poll, replica.position), 'diverged');
    assert.equal(replica.position.sequence, 10);
    assert.equal(standing(replica), 'live');
  }
});

test('changes are applied in order and once, however often a poll brings them', () => {
  const replica = loaded();
  const asked = replica.position;
  const poll = pollOf([{ ...PROGRAM, generation: 3 }], [{ ...PROGRAM, generation: 4 }]);
  assert.equal(replica.take(poll, asked), 'current');
  assert.equal(replica.take(poll, asked), 'current');
  assert.equal(replica.position.sequence, 12);
  assert.equal(replica.generationOf(5), 1 + 4 + 3);
  assert.equal(replica.take({ ...poll, head: 13 }, asked), 'behind');
});

test('an answer that was overtaken is applied only where it tells the same story', () => {
  const replica = loaded();
  const asked = replica.position;
  assert.equal(replica.take(pollOf([PROGRAM], [PROGRAM]), asked), 'current');
  const other = pollOf([PROGRAM], [PROGRAM], [PROGRAM]);
  const reused = other.changes.map((change) => ({
    ...change,
    changeId: `other-${change.sequence}`,
  }));
  assert.equal(replica.take({ ...other, changes: reused }, asked), 'diverged');
  assert.equal(replica.take(pollOf([PROGRAM]), asked), 'behind');
  assert.equal(replica.position.sequence, 12);
  assert.equal(replica.take(other, asked), 'current');
  assert.equal(replica.position.sequence, 13);
});

test('a gap in the log is never stepped over', () => {
  const replica = loaded();
  const poll = pollOf([], [{ ...PROGRAM, generation: 4 }]);
  const gap = { ...poll, changes: poll.changes.slice(1) };
  assert.throws(() => replica.take(gap, replica.position), /came after/);
  assert.equal(replica.position.sequence, 10);
});

test('a token lives while the sum of generations is its own, and dies when any of the three rises', () => {
  assert.equal(standing(loaded()), 'live');
  assert.equal(standing(loaded({ ...ENVIRONMENT, generation: 2 } as Fact)), 'revoked');
  assert.equal(standing(loaded({ ...PROGRAM, generation: 3 })), 'revoked');
  assert.equal(standing(loaded({ ...CLIENT, generation: 4 })), 'revoked');
});

test('a deletion kills even where a generation was forgotten', () => {
  assert.equal(standing(loaded({ ...CLIENT, state: 'deleted' })), 'revoked');
});

test('a token of the very generation of a suspension knows of a reactivation: it is ahead, and neither dead nor accepted', () => {
  assert.equal(standing(loaded({ ...PROGRAM, suspended: true })), 'ahead');
  assert.equal(standing(loaded({ ...CLIENT, state: 'suspended' })), 'ahead');
  assert.equal(standing(loaded({ ...PROGRAM, suspended: true, generation: 3 })), 'revoked');
});

test('a killed secret kills the tokens it minted and no others', () => {
  const replica = loaded({ ...SECRET, killed: true });
  assert.equal(standing(replica), 'revoked');
  assert.equal(standing(replica, { secret: 8 }), 'live');
});

test('facts that were stored with a time to forget them at are applied all the same', () => {
  const stored = JSON.parse(
    '[{"is":"secret","ordinal":9,"client":5,"killed":true,"forgetAtMs":90000},' +
      '{"is":"revoked-token","jti":"jti","client":5,"forgetAtMs":90000}]',
  ) as Fact[];
  const replica = loaded(...stored);
  assert.deepEqual([replica.isSecretKilled(9), replica.isTokenRevoked('jti')], [true, true]);
});

test('a revoked token is forgotten only after longer than any token lives', () => {
  const replica = loaded({ is: 'revoked-token', jti: 'jti', client: 5 });
  const HOUR_MS = 3_600_000;
  replica.forget(5);
  replica.forget(5 + 25 * HOUR_MS);
  assert.equal(standing(replica), 'revoked');
  replica.forget(6 + 25 * HOUR_MS);
  assert.equal(replica.isTokenRevoked('jti'), false);
});

test('a token expires at the second that introspection publishes, to the millisecond', () => {
  const replica = loaded();
  assert.equal(standing(replica, {}, 69_999), 'live');
  assert.equal(standing(replica, {}, 70_000), 'expired');
});

test('a token that knows more than the replica is ahead, never dead', () => {
  const replica = loaded();
  for (const claims of [
    { generation: 7 },
    { client: 6 },
    { secret: 10 },
    { scopeSet: 2 },
    { resource: 1 },
  ]) {
    assert.equal(standing(replica, claims), 'ahead', JSON.stringify(claims));
  }
});

test('a client of one environment is nobody in another', () => {
  const second = { ...ENVIRONMENT, ordinal: 2, name: 'production', tag: 'live' } as Fact;
  const replica = loaded(second, { ...SCOPE_SET, environment: 2 });
  const token = { jti: 'jti', claims: CLAIMS };
  assert.equal(standingOf(token, { environment: 2, nowMs: 20_000 }, replica), 'other-environment');
});

test('a snapshot replaces everything that was there', () => {
  const replica = loaded({ is: 'revoked-token', jti: 'jti', client: 5 });
  replica.load({ position: { sequence: 1, changeId: 'a', incarnation: 'two' }, facts: [] });
  assert.equal(replica.clients.find(CLIENT.clientId), undefined);
  assert.equal(replica.isTokenRevoked('jti'), false);
  assert.deepEqual(replica.environments(), []);
});
