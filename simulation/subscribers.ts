/**
 * Histories of one node and one verifier that remembers: the node's real subscriptions, the verifier's real lease and memory, and between
 * them a network that delays, stalls and loses, over two clocks of different rates. Checks that nothing killed counts after it was settled.
 */

import { type Forget, newRemembered } from '../resource-server/src/remembered.ts';
import { newRemembering } from '../resource-server/src/remembering.ts';
import { newStreamLease } from '../resource-server/src/stream-lease.ts';
import type { Fact } from '../server/src/ports/change-log.ts';
import { newReplica, type Replica } from '../server/src/replica/replica.ts';
import {
  newSubscriptions,
  positionText,
  SUBSCRIBER_LEASE_MS,
  type Subscriptions,
} from '../server/src/replica/subscriptions.ts';
import { newRandom, type Random } from './random.ts';

/** What can be wrong; each must be found out. */
export const SUBSCRIBER_BUGS = {
  'lease-from-arrival':
    'the lease counts from when the heartbeat came, not from when the ping was sent',
  'lease-ignored': 'remembered answers count although the stream is lost',
  'nothing-forgotten': 'changes are taken in and confirmed, and nothing is forgotten',
  'any-position': 'an answer is remembered whatever change it stands on',
  'settled-at-once': 'the node acknowledges a change without waiting for its subscribers',
} as const;
export type SubscriberBug = keyof typeof SUBSCRIBER_BUGS;

const HISTORY_MS = 30_000;
const STEP_MS = 5;
const PING_EVERY_MS = 1_000;
const CLIENTS = 3;
const SUBSCRIBER = 9;
/** By its rate and a step: no receipt waits longer for a subscriber. */
const SETTLED_WITHIN_MS = SUBSCRIBER_LEASE_MS * 1.03 + 100;

type Kill = {
  readonly client: number;
  /** Of the tokens that it killed. */
  readonly generation: number;
  readonly sequence: number;
  readonly atMs: number;
};

export type SubscriberOutcome = {
  /** What broke the promise, in words. */
  readonly broken: readonly string[];
  readonly remembered: number;
  readonly kills: number;
};

type World = {
  nowMs: number;
  readonly random: Random;
  readonly bug: SubscriberBug | undefined;
  readonly due: { readonly atMs: number; readonly run: () => void }[];
};

/** Runs one history; the same seed tells the same one. */
export async function runSubscriberHistory(
  seed: number,
  bug?: SubscriberBug,
): Promise<SubscriberOutcome> {
  const random = newRandom(seed);
  const world: World = { nowMs: 0, random, bug, due: [] };
  const node = newNode(world);
  const verifier = newVerifier(world, node);
  const broken: string[] = [];
  const kills: Kill[] = [];
  const settled = new Set<number>();
  let remembered = 0;

  while (world.nowMs < HISTORY_MS) {
    world.nowMs += STEP_MS;
    for (const one of world.due.filter(({ atMs }) => atMs <= world.nowMs)) {
      world.due.splice(world.due.indexOf(one), 1);
      one.run();
      await turns();
    }
    if (random.chance(STEP_MS / 1_500) && world.nowMs < HISTORY_MS - SETTLED_WITHIN_MS) {
      const client = 1 + random.below(CLIENTS);
      const generation = node.generationOf(client);
      kills.push({ client, generation, sequence: node.kill(client), atMs: world.nowMs });
    }
    if (random.chance(STEP_MS / 100)) verifier.ask(1 + random.below(CLIENTS));
    await turns();
    const upTo = bug === 'settled-at-once' ? Number.POSITIVE_INFINITY : node.settled();
    for (const { client, generation, sequence, atMs } of kills) {
      if (sequence > upTo) {
        if (world.nowMs - atMs > SETTLED_WITHIN_MS) broken.push(`${sequence} is never settled`);
        continue;
      }
      settled.add(sequence);
      if (verifier.accepts(client, generation)) broken.push(`client ${client} after ${sequence}`);
    }
    for (let client = 1; client <= CLIENTS; client += 1) {
      if (verifier.accepts(client, node.generationOf(client))) remembered += 1;
    }
    if (broken.length > 0) break;
  }
  return { broken, remembered, kills: settled.size };
}

/** Lets promises that wait for nothing settle. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
}

/** In order, each after its own delay; now and then all wait. */
function newChannel(world: World) {
  const { random, due } = world;
  let lastMs = 0;
  return (run: () => void, ordered: boolean): void => {
    const stall = random.chance(0.03) ? random.between(500, 5_000) : 0;
    const atMs = world.nowMs + random.next() ** 4 * 800 + stall;
    lastMs = ordered ? Math.max(lastMs, atMs) : lastMs;
    due.push({ atMs: ordered ? lastMs : atMs, run });
  };
}

type Told = { event: string; id: string; data: Record<string, unknown> };

function newNode(world: World) {
  const rate = world.random.between(0.996, 1.004);
  const clock = {
    monotonicMs: () => world.nowMs * rate,
    wallMs: () => world.nowMs,
    sleep: () => Promise.resolve(),
  };
  const generations = new Map<number, number>();
  const factOf = (ordinal: number): Fact => ({
    is: 'client',
    ordinal,
    clientId: `client_test_${String(ordinal).padStart(16, '0')}`,
    program: 1,
    environment: 1,
    generation: generations.get(ordinal) ?? 0,
    state: 'active',
    resourceServer: ordinal === SUBSCRIBER,
  });
  const replica: Replica = newReplica({
    key: () => {},
    clientChanged: () => {},
    reset: () => {},
    changed: (change) => subscriptions.changed(change),
  });
  const subscriptions: Subscriptions = newSubscriptions({
    replica: () => replica,
    clock,
    randomness: world.random,
    grantMs: () => SUBSCRIBER_LEASE_MS,
    onSettled: () => {},
  });
  const environment = { name: 'sandbox', tag: 'test', issuer: 'i', generation: 0 };
  replica.load({
    position: { sequence: 0, changeId: '', incarnation: 'i' },
    facts: [
      { is: 'environment', ordinal: 1, ...environment },
      { is: 'program', ordinal: 1, programId: 'program_1', generation: 0, suspended: false },
      ...[1, 2, 3, SUBSCRIBER].map(factOf),
    ],
  });
  return {
    replica,
    subscriptions,
    settled: () => subscriptions.settled(),
    generationOf: (client: number) => generations.get(client) ?? 0,
    kill: (client: number): number => {
      generations.set(client, (generations.get(client) ?? 0) + 1);
      const asked = replica.position;
      const sequence = asked.sequence + 1;
      const change = { sequence, changeId: `c${sequence}`, facts: [factOf(client)] };
      const poll = { incarnation: 'i', changeIdAtAfter: asked.changeId, head: sequence };
      replica.take({ ...poll, changes: [change] }, asked);
      return sequence;
    },
  };
}

function newVerifier(world: World, node: ReturnType<typeof newNode>) {
  const { bug, random } = world;
  const rate = random.between(0.996, 1.004);
  const reading = () => ({ monotonicMs: world.nowMs * rate, wallMs: world.nowMs * rate });
  const up = newChannel(world);
  const lease = newStreamLease();
  const memory = newRemembered();
  let position: string | undefined;
  let stream = 0;

  const connect = (): void => {
    stream += 1;
    const own = stream;
    const down = newChannel(world);
    let subscription = '';
    let confirmed = 0;
    const ping = (): void => {
      if (own !== stream) return;
      const number = lease.pinged(reading());
      const told = { subscription, client: SUBSCRIBER, number, confirmed };
      if (!random.chance(0.05)) up(() => void node.subscriptions.ping(told), false);
    };
    const hear = ({ event, id, data }: Told): void => {
      if (own !== stream) return;
      if (event === 'heartbeat') {
        const answered = Number(data['ping']);
        const counted = bug === 'lease-from-arrival' ? lease.pinged(reading()) : answered;
        lease.heard(counted, Number(data['lease_ms']));
        return;
      }
      if (event === 'hello') {
        lease.end();
        subscription = String(data['subscription']);
      }
      const forget = data['reset'] === true ? { all: true } : data['forget'];
      if (forget !== undefined && bug !== 'nothing-forgotten') memory.forget(forget as Forget);
      position = id;
      confirmed = Number(data['sequence']);
      ping();
    };
    const again = (): void => {
      if (own !== stream) return;
      ping();
      world.due.push({ atMs: world.nowMs + PING_EVERY_MS, run: again });
    };
    const breaks = {
      atMs: world.nowMs + random.between(2_000, 20_000),
      run: () => own === stream && connect(),
    };
    world.due.push(breaks, { atMs: world.nowMs + PING_EVERY_MS, run: again });
    const sink = {
      write: (text: string) => {
        down(() => hear(toldBy(text)), true);
        return true;
      },
      end: () => {},
      onClose: () => {},
    };
    node.subscriptions.open({ environment: 1, client: SUBSCRIBER, sink, heard: position });
  };
  connect();

  const questionOf = (client: number, generation: number) => ({
    token: `${client}.${generation}`,
    clientIp: undefined,
  });
  const mayDecide = (): boolean => bug === 'lease-ignored' || lease.isHeldAt(reading());
  const remembering = newRemembering({
    // Judged at the node, between two delays, with the position that it stands on.
    introspect: ({ token }) =>
      new Promise((resolve) => {
        up(() => {
          const [client = 0, generation] = token.split('.').map(Number);
          const isLive = node.generationOf(client) === generation;
          const at = positionText(node.replica.position);
          const clientId = node.replica.clients.clientId(client);
          const identity = { programId: 'program_1', clientId, tokenId: token };
          const more = { scope: new Set<string>(), audience: 'a', expiresAtSeconds: 4e9 };
          up(() => {
            if (!isLive) return resolve({ standing: 'inactive' });
            resolve({
              standing: 'active',
              identity: { ...identity, ...more },
              position: bug === 'any-position' ? position : at,
              lifetimeMs: 60_000,
            });
          }, false);
        }, false);
      }),
    remembered: memory,
    stream: { mayDecide, position: () => position },
    nowMs: () => reading().monotonicMs,
  });
  return {
    ask: (client: number): void => {
      void remembering(questionOf(client, node.generationOf(client)));
    },
    /** Whether a token of that generation is accepted without a question. */
    accepts: (client: number, generation: number): boolean =>
      mayDecide() &&
      memory.get(questionOf(client, generation), reading().monotonicMs) !== undefined,
  };
}

function toldBy(text: string): Told {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) };
}
