/** What goes wrong: one fault after another, several at a time, each with an end. */

import type { Host, Running } from './cluster.ts';
import { GOOD } from './network.ts';
import type { Random } from './random.ts';
import { NO_STRAY } from './store.ts';
import type { Part, World } from './world.ts';

export type Faults = {
  /** Begins one fault of the kinds that this history has. */
  strike(): void;
  /** Ends all that are under way. */
  heal(): void;
};

/** A fault that has begun, and how it ends. */
type Begun = { readonly lastsMs: number; readonly end: () => void };
type Fault = (world: World, random: Random) => Begun | undefined;

/** A node with nothing wrong so far. */
function soundNode({ cluster, troubles }: World, random: Random): Running | undefined {
  const sound = cluster.serving().filter(({ machine }) => !troubles.isTroubled(machine));
  return sound.length === 0 ? undefined : random.pick(sound);
}

const HOUR_MS = 3_600_000;

/** A fault of one node: `begin` returns how it ends. */
const ofNode =
  (begin: (at: Running, random: Random, world: World) => () => void): Fault =>
  (world, random) => {
    const at = soundNode(world, random);
    if (at === undefined) return undefined;
    const endTrouble = world.troubles.begin(at.machine);
    const end = begin(at, random, world);
    return {
      lastsMs: at.node.leaseMs * random.between(0.1, 3),
      end: () => {
        end();
        endTrouble();
      },
    };
  };

/** A fault of the way to the store: some conditions, and the good ones again. */
const ofNetwork = (conditions: (random: Random) => Partial<typeof GOOD>): Fault =>
  ofNode(({ link }, random) => {
    Object.assign(link.conditions, conditions(random));
    return () => Object.assign(link.conditions, GOOD);
  });

const ofProcess =
  (how: 'stop' | 'kill'): Fault =>
  ({ cluster }, random) => {
    const hosts = cluster.hosts.filter(({ running }) => running?.serves === true);
    if (hosts.length === 0) return undefined;
    const host: Host = random.pick(hosts);
    cluster[how](host);
    // Whoever stops stands aside before the next one starts.
    const again = (): void => {
      cluster.kill(host);
      cluster.start(host);
    };
    return { lastsMs: random.between(10, 3_000), end: again };
  };

const ofStore =
  (status: 'stalled' | 'down'): Fault =>
  ({ store, troubles, timing }, random) => {
    if (troubles.isTroubled('store')) return undefined;
    const endTrouble = troubles.begin('store');
    store.status = status;
    return {
      lastsMs: timing.leaseMsMax * random.between(0.05, 1.5),
      end: () => {
        store.recover();
        endTrouble();
      },
    };
  };

/** Some nodes are still connected to the old primary, which answers reads and commits nothing. */
function strayToOldPrimary({ cluster }: World, random: Random): () => void {
  const all = [...cluster.serving().map(({ node }) => node), ...cluster.desks];
  const strays = all.filter(() => random.chance(0.5)).map(({ connection }) => connection.access);
  for (const access of strays) {
    const often = random.pick([0.3, 0.6, 1]);
    access.toOldPrimary = { reads: often, writes: random.pick([0, often]) };
  }
  return () => {
    for (const access of strays) access.toOldPrimary = NO_STRAY;
  };
}

type Loss = 'nothing' | 'changes';

/** The outage that a failover is: down, then another primary; then the old one is gone too. */
const ofFailover =
  (loses: Loss): Fault =>
  (world, random) => {
    const { store, troubles, timing, timeline } = world;
    if (troubles.isTroubled('store') || store.hasOldPrimary) return undefined;
    const endTrouble = troubles.begin('store');
    const aheadMs = loses === 'nothing' ? 0 : random.between(100, 1_500);
    // A promotion that loses changes loses registrations too: no lease of before may run when the new primary serves.
    const downMs =
      loses === 'nothing'
        ? random.between(20, 800)
        : timing.leaseMsMax * 1.02 + random.between(1, 300);
    let endStrays = (): void => {};
    let isOver = false;
    store.synchronise();
    const promote = (): void => {
      if (isOver) return;
      store.failOver({ loses, newIncarnation: loses === 'changes' && random.chance(0.5) });
      store.recover();
      endStrays = strayToOldPrimary(world, random);
    };
    timeline.after(aheadMs, () => {
      if (isOver) return;
      store.status = 'down';
      timeline.after(downMs, promote);
    });
    return {
      lastsMs: aheadMs + downMs + timing.leaseMsMax * random.between(0.1, 2.5),
      end: () => {
        isOver = true;
        store.recover();
        endStrays();
        store.forgetOldPrimary();
        endTrouble();
      },
    };
  };

/** A wall clock that is set and later set back. */
const wallClock = ofNode(({ machine }, random) => {
  const byMs = random.pick([3_000, HOUR_MS, 50 * HOUR_MS]) * random.between(-1, 1);
  machine.setWall(byMs);
  return () => machine.setWall(-byMs);
});

/** An operator far away, whose every question takes long. */
const slowDesk: Fault = ({ cluster, troubles, timing }, random) => {
  const desk = random.pick(cluster.desks);
  if (troubles.isTroubled(desk.machine)) return undefined;
  const endTrouble = troubles.begin(desk.machine);
  desk.link.conditions.delayMsMax = random.between(500, 3_000);
  return {
    lastsMs: timing.leaseMsMax * random.between(1, 4),
    end: () => {
      Object.assign(desk.link.conditions, GOOD);
      endTrouble();
    },
  };
};

const KINDS: Readonly<Record<string, Fault>> = {
  cut: ofNetwork(() => ({ cut: true })),
  slow: ofNetwork((random) => ({ delayMsMax: random.between(100, 2_500) })),
  // A node may renew again and again without hearing of it: no receipt waits longer for that.
  'slow replies': ofNetwork((random) => ({ replyDelayMsMax: random.between(500, 5_000) })),
  resets: ofNetwork((random) => ({ resets: random.between(0.1, 0.6) })),
  'read-only': ofNode(({ node }) => {
    node.connection.access.readOnly = true;
    return () => {
      node.connection.access.readOnly = false;
    };
  }),
  paused: ofNode(({ machine }) => {
    machine.pause();
    return machine.resume;
  }),
  asleep: ofNode(({ machine }) => {
    machine.sleep();
    return machine.resume;
  }),
  'wall clock': wallClock,
  'slow operator': slowDesk,
  journal: ofNode(({ node }, random) => {
    node.journal.delayMsMax = random.between(100, 3_000);
    node.journal.failures = random.between(0, 0.5);
    return () => {
      node.journal.delayMsMax = 4;
      node.journal.failures = 0;
    };
  }),
  stopped: ofProcess('stop'),
  killed: ofProcess('kill'),
  'store stalled': ofStore('stalled'),
  'store down': ofStore('down'),
  failover: ofFailover('nothing'),
  'lossy failover': ofFailover('changes'),
};

/** Few kinds in one history, so that they meet each other often. */
const KINDS_MAX = 5;
/** Some that do harm only together meet on purpose in a part of the histories. */
const MEETINGS: readonly (readonly string[])[] = [
  // Nodes that register after a failover are unknown to the old primary.
  ['failover', 'failover', 'killed', 'slow', 'cut'],
  // A counter seen from far away, of a node that stops renewing just then.
  ['slow operator', 'slow operator', 'cut', 'paused', 'read-only'],
  ['lossy failover', 'slow replies', 'slow', 'resets'],
];
const MEETINGS_SHARE = 0.3;

export function newFaults({ world, random }: Part): Faults {
  const { timeline, trace } = world;
  const all = Object.keys(KINDS);
  const kinds = random.chance(MEETINGS_SHARE)
    ? random.pick(MEETINGS)
    : Array.from({ length: 1 + random.below(KINDS_MAX) }, () => random.pick(all));
  const running = new Set<() => void>();

  return {
    strike: () => {
      const kind = random.pick(kinds);
      const begun = KINDS[kind]?.(world, random);
      if (begun === undefined) return;
      trace.note(`fault: ${kind}, ${Math.round(begun.lastsMs)} ms`, timeline.nowMs);
      const end = (): void => {
        if (running.delete(end)) begun.end();
      };
      running.add(end);
      timeline.after(begun.lastsMs, end);
    },
    heal: () => {
      trace.note('healed', timeline.nowMs);
      for (const end of [...running]) end();
    },
  };
}
