/** The hosts and what runs on them: starts, stops, kills and restarts nodes, as a supervisor of processes does. */

import { newSightings, type Sightings } from '../server/src/replica/receipt.ts';
import type { Checker } from './checker.ts';
import type { Troubles } from './health.ts';
import { type Machine, newMachine, type Quirks } from './machine.ts';
import { type Link, newLink } from './network.ts';
import { type Code, type Node, newNode } from './node.ts';
import type { Random } from './random.ts';
import type { Connection, Store } from './store.ts';
import type { Timeline } from './timeline.ts';

/** A process that failed to start is started again this much later. */
const RESTART_DELAY_MS = 200;
const RATE_ERROR_MAX = 0.01;
const WALL_OFFSET_MS_MAX = 5_000;

export type Host = {
  readonly name: string;
  readonly leaseMs: number;
  readonly quirks: Quirks;
  /** Processes it has had so far. */
  lives: number;
  running: Running | undefined;
};

export type Running = {
  readonly machine: Machine;
  readonly link: Link;
  readonly node: Node;
  /** Its start has succeeded and nobody has asked it to stop. */
  serves: boolean;
};

/** A machine with its way to the store, and no node on it: whoever works at a command line. */
export type Desk = {
  readonly machine: Machine;
  readonly connection: Connection;
  readonly leaseMs: number;
  /** What whoever waits here for receipts has seen of the nodes so far. */
  readonly sightings: Sightings;
};

export type OwnDesk = Desk & { readonly link: Link };

export type Cluster = {
  readonly hosts: readonly Host[];
  /** What serves at this moment. */
  serving(): readonly Running[];
  start(host: Host): void;
  /** Asks the node to stop and to leave; its process ends either way. */
  stop(host: Host): void;
  kill(host: Host): void;
  newDesk(name: string): OwnDesk;
  readonly desks: readonly OwnDesk[];
};

type Parts = {
  readonly hosts: number;
  readonly leaseMsChoices: readonly number[];
  readonly deadlineMs: number;
  readonly code: Code;
  readonly timeline: Timeline;
  readonly store: Store;
  readonly checker: Checker;
  readonly troubles: Troubles;
  readonly random: Random;
};

const newQuirks = (random: Random): Quirks => ({
  rateError: random.between(-RATE_ERROR_MAX, RATE_ERROR_MAX),
  wallOffsetMs: random.between(-WALL_OFFSET_MS_MAX, WALL_OFFSET_MS_MAX),
});

export function newCluster(parts: Parts): Cluster {
  const { timeline, store, checker, troubles, random, deadlineMs, leaseMsChoices } = parts;
  const hosts = Array.from(
    { length: parts.hosts },
    (_, index): Host => ({
      name: `node-${index + 1}`,
      leaseMs: random.pick(leaseMsChoices),
      quirks: newQuirks(random),
      lives: 0,
      running: undefined,
    }),
  );

  const desks: OwnDesk[] = [];
  const connect = (name: string, quirks: Quirks) => {
    const machine = newMachine({ name, quirks, random: random.fork() }, timeline);
    const link = newLink({ machine, timeline, random: random.fork(), deadlineMs });
    return { machine, link, connection: store.connect(machine, link) };
  };

  const start = (host: Host): void => {
    if (host.running !== undefined) return;
    host.lives += 1;
    const { machine, link, connection } = connect(`${host.name}-${host.lives}`, host.quirks);
    const code: Code = {
      ...parts.code,
      newReplica: (listeners) => checker.watch(parts.code.newReplica(listeners), machine),
    };
    const { leaseMs } = host;
    const node = newNode({ code, machine, connection, leaseMs, random: random.fork() });
    const running: Running = { machine, link, node, serves: false };
    host.running = running;
    node.start().then(
      () => {
        if (host.running !== running) return;
        running.serves = true;
        troubles.isWellNow(machine);
      },
      () => {
        if (host.running !== running) return;
        kill(host);
        timeline.after(RESTART_DELAY_MS, () => start(host));
      },
    );
  };

  const kill = (host: Host): void => {
    host.running?.machine.kill();
    host.running = undefined;
  };

  return {
    hosts,
    desks,
    serving: () => hosts.flatMap(({ running }) => (running?.serves === true ? [running] : [])),
    start,
    kill,
    stop: (host) => {
      const { running } = host;
      if (running === undefined) return;
      running.serves = false;
      // What it answers from now on is no news of a node that is well.
      troubles.begin(running.machine);
      const end = (): void => {
        if (host.running === running) kill(host);
      };
      running.machine.deliver('outside', () => running.node.stop().then(end, end));
    },
    newDesk: (name) => {
      const leaseMs = random.pick(leaseMsChoices);
      const desk = { ...connect(name, newQuirks(random)), leaseMs, sightings: newSightings() };
      desks.push(desk);
      return desk;
    },
  };
}
