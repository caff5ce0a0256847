/** One history, from its seed: a while of everything going wrong, then a while of peace in which all must come right. */

import { type Checker, newChecker, type Timing, type Violation } from './checker.ts';
import { newCluster } from './cluster.ts';
import type { StoreFlaws } from './commit.ts';
import { type Faults, newFaults } from './faults.ts';
import { newTroubles } from './health.ts';
import type { Code } from './node.ts';
import { newOperators, type Operators } from './operators.ts';
import { newRandom, type Random } from './random.ts';
import { emptyState } from './state.ts';
import { newStore, type Store } from './store.ts';
import { newTimeline } from './timeline.ts';
import { newTrace } from './trace.ts';
import { newTraffic, type Traffic } from './traffic.ts';
import type { World } from './world.ts';

export type HistoryOptions = {
  readonly seed: number;
  /** Undefined: 3 to 12, mostly few. */
  readonly nodes?: number | undefined;
  readonly code: Code;
  readonly flaws: StoreFlaws;
  /** Is given each thing that happens, in words. */
  readonly tell?: ((line: string) => void) | undefined;
};

export type History = {
  readonly seed: number;
  /** None in a history as it should be. */
  readonly violations: readonly Violation[];
  /** Of all that happened: the same for the same seed. */
  readonly hash: string;
  readonly events: number;
  readonly simulatedMs: number;
};

const LEASE_MS_CHOICES = [600, 1_000, 2_000];
const DEADLINE_MS_CHOICES = [300, 800, 2_500];
const POLL_INTERVAL_MS = 100;
const PROGRAMS = 2;
const CLIENTS = 4;
const DESKS = 2;

/** Between two of them, on the average, while everything goes wrong. */
const REQUEST_EVERY_MS = 40;
const ACT_EVERY_MS = 260;
const FAULT_EVERY_MS = 600;
const TURMOIL_MS = { min: 3_000, max: 8_000 };
/** Changes made in peace, each with a prompt receipt. */
const PEACEFUL_CHANGES = 4;
const STEP_MS = 250;

type Scene = {
  readonly world: World;
  readonly random: Random;
  readonly traffic: Traffic;
  readonly operators: Operators;
  readonly faults: Faults;
};

export async function runHistory(options: HistoryOptions): Promise<History> {
  const scene = setScene(options);
  const { timeline, checker, trace } = scene.world;
  await begin(scene);
  await turmoil(scene);
  await peace(scene);
  return {
    seed: options.seed,
    violations: checker.violations,
    hash: trace.hash,
    events: timeline.events,
    simulatedMs: timeline.nowMs,
  };
}

function setScene({ seed, nodes, code, flaws, tell }: HistoryOptions): Scene {
  const random = newRandom(seed);
  const timeline = newTimeline();
  const trace = newTrace(tell);
  const lease = random.pick(LEASE_MS_CHOICES);
  const leaseMsChoices = random.chance(0.5) ? [lease] : [lease, lease * 3];
  const timing: Timing = {
    pollIntervalMs: POLL_INTERVAL_MS,
    leaseMsMax: Math.max(...leaseMsChoices),
    deadlineMs: random.pick(DEADLINE_MS_CHOICES),
  };
  const troubles = newTroubles(timeline);
  const parts = { timeline, timing, health: troubles, trace, store: (): Store => store };
  const checker: Checker = newChecker(parts);
  const store = newStore({
    initial: emptyState(random, PROGRAMS),
    timeline,
    random: random.fork(),
    flaws,
    witness: checker.witness,
    locks: random.chance(0.25),
  });
  store.hintsLost = random.pick([0, 0.3, 1]);
  const cluster = newCluster({
    hosts: nodes ?? 3 + Math.floor(random.next() ** 3 * 10),
    leaseMsChoices,
    deadlineMs: timing.deadlineMs,
    random: random.fork(),
    ...{ code, timeline, store, checker, troubles },
  });
  const world = { timeline, store, checker, troubles, trace, timing, code, cluster };
  const traffic = newTraffic({ world, random: random.fork() });
  const desks = Array.from({ length: DESKS }, (_, index) => cluster.newDesk(`desk-${index + 1}`));
  const operators = newOperators({ world, random: random.fork(), traffic, desks });
  const faults = newFaults({ world, random: random.fork() });
  return { world, random, traffic, operators, faults };
}

/** Runs on until `untilMs`, or until a promise is broken. */
async function runTo({ timeline, checker }: World, untilMs: number): Promise<void> {
  while (timeline.nowMs < untilMs && !checker.isOver) {
    await timeline.run(Math.min(untilMs, timeline.nowMs + STEP_MS));
  }
}

async function begin({ world, operators }: Scene): Promise<void> {
  const { cluster, timeline } = world;
  const desk = cluster.newDesk('setup');
  for (let made = 0; made < CLIENTS; made += 1)
    void operators.carryOut(operators.newClient(), desk);
  await runTo(world, timeline.nowMs + 100);
  for (const host of cluster.hosts) cluster.start(host);
  await runTo(world, timeline.nowMs + 400);
}

/** Runs something again and again, at random intervals, until a time. */
function keepDoing(
  { world: { timeline }, random }: Pick<Scene, 'world' | 'random'>,
  what: { run: () => void; everyMs: number; untilMs: number },
): void {
  const { run, everyMs, untilMs } = what;
  const again = (): void => {
    if (timeline.nowMs >= untilMs) return;
    run();
    timeline.after(random.between(0, 2 * everyMs), again);
  };
  timeline.after(random.between(0, 2 * everyMs), again);
}

async function turmoil(scene: Scene): Promise<void> {
  const { world, random, traffic, operators, faults } = scene;
  const untilMs = world.timeline.nowMs + random.between(TURMOIL_MS.min, TURMOIL_MS.max);
  keepDoing(scene, { run: traffic.request, everyMs: REQUEST_EVERY_MS, untilMs });
  keepDoing(scene, { run: operators.act, everyMs: ACT_EVERY_MS, untilMs });
  keepDoing(scene, { run: faults.strike, everyMs: FAULT_EVERY_MS, untilMs });
  await runTo(world, untilMs);
}

async function peace(scene: Scene): Promise<void> {
  const { world, traffic, faults } = scene;
  const { cluster, checker, timeline, timing } = world;
  if (checker.isOver) return;
  faults.heal();
  for (const host of cluster.hosts) cluster.start(host);
  await runTo(world, timeline.nowMs + checker.recoveryMs({ leaseMs: timing.leaseMsMax }));
  if (checker.isOver) return;
  for (const { name, running } of cluster.hosts) {
    const decides = running?.serves === true && running.node.mayDecide();
    if (!decides) checker.fail('does not decide again', `${name}, long after the last fault`);
  }
  await peacefulChanges(scene);
  await runTo(world, timeline.nowMs + checker.settleMs);
  for (const at of cluster.serving()) {
    for (const token of traffic.tokens()) traffic.verify(at, token);
    for (const credentials of traffic.credentials) traffic.issue(at, credentials);
  }
  await runTo(world, timeline.nowMs + 400);
}

/** The first change writes off whoever is gone; from then on each receipt is prompt. */
async function peacefulChanges(scene: Scene): Promise<void> {
  const { world, random, operators, traffic } = scene;
  const { cluster, checker, timeline, timing } = world;
  const desk = cluster.newDesk('peace');
  const slowestMs = (timing.leaseMsMax + 1_000) * 1.04 + 200;
  for (let made = 0; made < PEACEFUL_CHANGES; made += 1) {
    const change = made === 0 ? operators.newClient() : operators.turn();
    let isOver = false;
    void operators.carryOut(change, desk).then(() => {
      isOver = true;
    });
    const limitMs = made === 0 ? slowestMs : checker.settleMs + 100;
    const untilMs = timeline.nowMs + limitMs;
    while (!isOver && timeline.nowMs < untilMs && !checker.isOver) {
      await runTo(world, timeline.nowMs + 50);
      if (random.chance(0.5)) traffic.request();
    }
    if (checker.isOver) return;
    if (!isOver) checker.fail('receipt came late', `of a ${change.kind} in peace`);
    // Those who waited through the faults have been told by now as well.
    const oldest = Math.max(0, ...operators.waitingMs());
    if (made > 0 && oldest > slowestMs) {
      checker.fail('receipt came late', `waiting for ${Math.round(oldest)} ms, still in peace`);
    }
  }
}
