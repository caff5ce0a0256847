import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../credentials/random.ts';
import type { Fact } from '../ports/change-log.ts';
import { type ManualClock, newManualClock } from '../testing/manual-clock.ts';
import { newReplica, type Replica } from './replica.ts';
import {
  newSubscriptions,
  SUBSCRIBER_LEASE_MS,
  SUBSCRIBERS_MAX,
  type Subscriptions,
} from './subscriptions.ts';

type Told = { readonly event: string; readonly id: string; readonly data: Record<string, unknown> };
type World = {
  readonly hub: Subscriptions;
  readonly clock: ManualClock;
  readonly replica: Replica;
  /** Opens a stream; what it is told is collected. */
  readonly follow: (by?: {
    client?: number;
    environment?: number;
    heard?: string;
    isDeaf?: boolean;
  }) => { readonly told: Told[]; readonly id: () => string; readonly isEnded: () => boolean };
  readonly change: (...facts: Fact[]) => number;
};

const client = (ordinal: number, environment = 1, program = 1): Fact => ({
  is: 'client',
  ordinal,
  clientId: `client_${environment === 1 ? 'test' : 'live'}_${String(ordinal).padStart(16, '0')}`,
  program,
  environment,
  generation: 0,
  state: 'active',
  resourceServer: ordinal === OWN,
});
const program = (ordinal: number, generation = 0): Fact => ({
  ...{ is: 'program', ordinal, programId: `program_${ordinal}`, generation, suspended: false },
});
const OWN = 9;

function newWorld(grantMs = (): number => SUBSCRIBER_LEASE_MS): World {
  const clock = newManualClock();
  const replica: Replica = newReplica({
    key: () => {},
    clientChanged: () => {},
    reset: () => hub.reset(),
    changed: (change) => hub.changed(change),
  });
  const hub: Subscriptions = newSubscriptions({
    replica: () => replica,
    randomness: systemRandomness(),
    onSettled: () => {},
    ...{ clock, grantMs },
  });
  const environment = (ordinal: number, name: string): Fact => ({
    ...{ is: 'environment', ordinal, name, tag: name.slice(0, 4), issuer: name, generation: 0 },
  });
  const facts = [
    ...[environment(1, 'sandbox'), environment(2, 'production')],
    ...[program(1), program(2), program(3)],
    ...[client(1), client(2, 2, 2), client(OWN, 1, 3)],
  ];
  replica.load({ position: { sequence: 5, changeId: 'c5', incarnation: 'i' }, facts });
  return {
    hub,
    clock,
    replica,
    follow: ({ client = OWN, environment = 1, heard, isDeaf = false } = {}) => {
      const told: Told[] = [];
      let isEnded = false;
      const write = (text: string): boolean => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
        told.push({ event: field('event'), id: field('id'), data: JSON.parse(field('data')) });
        return !isDeaf;
      };
      const end = (): void => {
        isEnded = true;
      };
      hub.open({ client, environment, heard, sink: { write, end, onClose: () => {} } });
      return { told, id: () => String(told[0]?.data['subscription']), isEnded: () => isEnded };
    },
    change: (...facts) => {
      const asked = replica.position;
      const sequence = asked.sequence + 1;
      const changes = [{ sequence, changeId: `c${sequence}`, facts }];
      const poll = { incarnation: 'i', changeIdAtAfter: asked.changeId, head: sequence, changes };
      assert.equal(replica.take(poll, asked), 'current');
      return sequence;
    },
  };
}

const ping = (subscription: string, number = 1, confirmed = 0) => ({
  ...{ subscription, number, confirmed, client: OWN },
});

test('a change is settled once its subscribers have confirmed it', () => {
  const { hub, follow, change } = newWorld();
  const { told, id } = follow();
  assert.equal(hub.ping(ping(id())), true);
  assert.deepEqual(told.at(-1)?.data, { ping: 1, lease_ms: SUBSCRIBER_LEASE_MS });
  const sequence = change(client(1));
  assert.deepEqual(told.at(-1)?.data['forget'], {
    ...{ programs: [], clients: ['client_test_0000000000000001'], tokens: [] },
  });
  assert.equal(hub.settled(), sequence - 1);
  hub.ping(ping(id(), 2, sequence - 1));
  assert.equal(hub.settled(), sequence - 1, 'it confirmed an earlier one');
  hub.ping(ping(id(), 3, sequence));
  assert.equal(hub.settled(), sequence);
});

test('without a word it is settled when the lease of before the change is over, and no sooner', () => {
  const { hub, clock, follow, change } = newWorld();
  const { id } = follow();
  hub.ping(ping(id()));
  clock.advance(1_000);
  const sequence = change(program(1, 1));
  clock.advance(SUBSCRIBER_LEASE_MS - 1_000);
  assert.equal(hub.settled(), sequence - 1, 'its clock may be slower');
  // Heartbeats behind the change in the same stream give nothing to who has not taken it in.
  hub.ping(ping(id(), 2));
  clock.advance(100);
  assert.equal(hub.settled(), sequence);
});

test('who has gone without a word is waited for all the same', () => {
  const { hub, clock, follow, replica } = newWorld();
  const { id } = follow({ isDeaf: true });
  // Written to, and never heard: cut off by the first event already.
  assert.equal(hub.ping(ping(id())), false);
  const heard = follow();
  hub.ping(ping(heard.id()));
  replica.load({ position: { ...replica.position, sequence: 50, changeId: 'c50' }, facts: [] });
  assert.equal(heard.isEnded(), true, 'what it missed nobody can tell');
  assert.equal(hub.settled(), 0);
  assert.equal(hub.isIdle(), false);
  clock.advance(SUBSCRIBER_LEASE_MS * 1.02);
  assert.equal(hub.settled(), 50);
  assert.equal(hub.isIdle(), true);
});

test('nobody is told of another environment, nor of what kills nothing', () => {
  const { hub, follow, change } = newWorld();
  const { told, id } = follow();
  hub.ping(ping(id()));
  const gone = () => told.at(-1)?.data['forget'];
  change(client(2, 2, 2));
  assert.equal(gone(), undefined);
  change(program(2, 1));
  assert.equal(gone(), undefined, 'a program that is not here');
  change({ is: 'revoked-token', jti: 'j', client: 2 });
  assert.equal(gone(), undefined);
  change({ is: 'secret', ordinal: 1, client: 1, killed: false });
  assert.equal(gone(), undefined);
  change({ is: 'key-retired', purpose: 'secret', environment: 1, version: 1 });
  assert.equal(gone(), undefined);
  const sequence = change({ is: 'scope', environment: 1, number: 1, name: 'a' });
  assert.equal(gone(), undefined);
  assert.equal(hub.settled(), sequence, 'nothing to confirm');
  assert.doesNotMatch(JSON.stringify(told), /live|program_2/);

  change({ is: 'revoked-token', jti: 'j', client: 1 });
  assert.deepEqual(gone(), { programs: [], clients: [], tokens: ['j'] });
  change({ is: 'secret', ordinal: 1, client: 1, killed: true });
  assert.deepEqual(gone(), {
    ...{ programs: [], clients: ['client_test_0000000000000001'], tokens: [] },
  });
  change({ is: 'key-retired', purpose: 'token', environment: 1, version: 1 });
  assert.deepEqual(gone(), { all: true });
  change(...Array.from({ length: 201 }, (_, at) => client(100 + at)));
  assert.deepEqual(gone(), { all: true });
});

test('a change of the subscriber itself ends its stream: it has to prove itself again', () => {
  for (const fact of [
    client(OWN, 1, 3),
    program(3, 1),
    { is: 'secret', ordinal: 7, client: OWN, killed: false } as const,
  ]) {
    const { follow, change } = newWorld();
    const { told, isEnded } = follow();
    change(fact);
    assert.deepEqual(told.at(-1)?.data['forget'], { all: true });
    assert.equal(isEnded(), true);
  }
});

test('who comes back is told what it missed, or to forget everything', () => {
  const { follow, change } = newWorld();
  const first = follow();
  change(client(1));
  const heard = first.told.at(-1)?.id ?? '';
  change(program(1, 1));
  change({ is: 'scope', environment: 1, number: 1, name: 'a' });
  const again = follow({ heard });
  assert.deepEqual(
    again.told.map(({ event, id, data }) => [
      event,
      id,
      data['reset'],
      data['forget'] !== undefined,
    ]),
    [
      ['hello', heard, undefined, false],
      ['change', 'i.7.c7', undefined, true],
      ['change', 'i.8.c8', undefined, false],
    ],
  );
  assert.equal(follow({ heard: 'i.8.c8' }).told.length, 1);
  for (const unknown of ['i.6.other', 'j.6.c6', 'i.1.c1', '', undefined]) {
    const [hello, ...more] = follow(unknown === undefined ? {} : { heard: unknown }).told;
    assert.deepEqual([hello?.data['reset'], more.length], [true, 0]);
  }
  for (let n = 0; n < 300; n += 1) change(client(1));
  assert.equal(follow({ heard }).told[0]?.data['reset'], true, 'too long ago');
});

test('pings of others, of nobody and without a lease give nothing', () => {
  let grantMs = 0;
  const { hub, follow } = newWorld(() => grantMs);
  const { told, id } = follow();
  assert.equal(hub.ping(ping(id())), true);
  assert.equal(told.length, 1);
  grantMs = 700;
  assert.equal(hub.ping({ ...ping(id(), 2), client: 1 }), false);
  assert.equal(hub.ping(ping('nobody')), false);
  assert.equal(told.length, 1);
  hub.ping(ping(id(), 3));
  assert.deepEqual(told.at(-1)?.data, { ping: 3, lease_ms: 700 });
});

test('there is room for a hundred, who leave room once they are gone; one that stops takes nobody', () => {
  const { hub, clock, follow, change } = newWorld();
  const all = Array.from({ length: SUBSCRIBERS_MAX }, () => follow());
  assert.equal(hub.hasRoom(), false);
  assert.deepEqual([follow().isEnded(), follow().told], [true, []], 'who asked before it was full');
  hub.ping(ping(all[0]?.id() ?? ''));
  change(program(3, 1));
  assert.equal(hub.hasRoom(), true, 'all have ended, and one may still decide');
  assert.equal(hub.isIdle(), false);
  clock.advance(SUBSCRIBER_LEASE_MS * 1.02);
  assert.equal(hub.isIdle(), true);
  hub.stop();
  assert.equal(hub.hasRoom(), false);
  assert.equal(follow().isEnded(), true);
});

test('who confirms nothing for a thousand changes is cut off', () => {
  const { follow, change, hub } = newWorld();
  const { id, isEnded } = follow();
  hub.ping(ping(id()));
  for (let n = 0; n <= 1_000; n += 1) change(client(1));
  assert.equal(isEnded(), true);
});
