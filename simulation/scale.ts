/**
 * `node simulation/scale.ts`: many nodes of the real code on one simulated database of a given speed, nothing going wrong. It counts what
 * they ask of the database, and measures how long receipts take.
 */

import { parseArgs } from 'node:util';
import type { NodeRegistry } from '../server/src/ports/change-log.ts';
import { newSightings } from '../server/src/replica/receipt.ts';
import { NO_FLAWS, REAL_CODE } from './code.ts';
import { newMachine } from './machine.ts';
import { newLink } from './network.ts';
import { newNode } from './node.ts';
import { newRandom } from './random.ts';
import { emptyState } from './state.ts';
import { type Connection, newStore } from './store.ts';
import { newTimeline, type Timeline } from './timeline.ts';

const HELP = `Usage: node simulation/scale.ts [options]

Simulates many nodes on one database and prints what it has to do and how long receipts take.

  --nodes N         (default 1000)
  --changes N       suspensions, one after the other (default 20)
  --lease MS        (default 30000)
  --reads N         statements that only read, a second, that the database does (default 20000)
  --commits N       commits a second, one after the other (default 2000)
  --no-hints        as without notifications: polling alone
  --help
`;

const options = {
  nodes: { type: 'string', default: '1000' },
  changes: { type: 'string', default: '20' },
  lease: { type: 'string', default: '30000' },
  reads: { type: 'string', default: '20000' },
  commits: { type: 'string', default: '2000' },
  'no-hints': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const IDLE_MS = 20_000;
const BETWEEN_CHANGES_MS = 1_000;
const STARTING_MS_MAX = 60_000;
const DEADLINE_MS = 5_000;
const STEP_MS = 100;

/** One thing after the other, each for as long; what comes meanwhile waits its turn. */
function newQueue(timeline: Timeline, perSecond: number): (run: () => void) => void {
  let freeAtMs = 0;
  return (run) => {
    freeAtMs = Math.max(timeline.nowMs, freeAtMs) + 1_000 / perSecond;
    timeline.after(freeAtMs - timeline.nowMs, run);
  };
}

type Kind = 'poll' | 'renewal' | 'confirmation' | 'change' | 'list' | 'other';
const WRITES: ReadonlySet<Kind> = new Set(['renewal', 'confirmation', 'change']);

function newDatabase(speed: { reads: number; commits: number; hints: boolean }) {
  const timeline = newTimeline();
  const random = newRandom(1);
  const nobody = () => {};
  const witness = { committed: nobody, lost: nobody, renewed: nobody, writtenOff: nobody };
  const store = newStore({
    initial: emptyState(random, 1),
    ...{ timeline, random, flaws: NO_FLAWS, locks: false },
    witness: { ...witness, registry: nobody },
  });
  store.hintsLost = speed.hints ? 0 : 1;
  const [read, write] = [newQueue(timeline, speed.reads), newQueue(timeline, speed.commits)];
  const counts = new Map<Kind, number>();

  const connect = (name: string) => {
    const quirks = { rateError: random.between(-0.001, 0.001), wallOffsetMs: 0 };
    const machine = newMachine({ name, quirks, random: random.fork() }, timeline);
    const link = newLink({ machine, timeline, random: random.fork(), deadlineMs: DEADLINE_MS });
    let kind: Kind = 'other';
    const connection = store.connect(machine, {
      ...link,
      send: (arrive) => {
        const serve = WRITES.has(kind) ? write : read;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        kind = 'other';
        return link.send((answer) => serve(() => arrive(answer)));
      },
    });
    const as =
      <Args extends readonly unknown[], T>(what: Kind, ask: (...args: Args) => T) =>
      (...args: Args): T => {
        kind = what;
        return ask(...args);
      };
    const { log, nodes } = connection;
    const registry: NodeRegistry = {
      ...nodes,
      renew: as('renewal', nodes.renew),
      acknowledge: as('confirmation', nodes.acknowledge),
      listAfter: as('list', nodes.listAfter),
    };
    const told: Connection = {
      ...connection,
      commit: as('change', connection.commit),
      log: { ...log, poll: as('poll', log.poll) },
      nodes: registry,
    };
    return { machine, connection: told };
  };
  return { timeline, random, counts, connect };
}

async function until(timeline: Timeline, untilMs: number, holds: () => boolean): Promise<void> {
  while (!holds()) {
    if (timeline.nowMs > untilMs) throw new Error('it takes too long');
    await timeline.run(timeline.nowMs + STEP_MS);
  }
}

/** Rates a second of what was counted between two moments. */
const rates = (counts: ReadonlyMap<Kind, number>, sinceMs: number, nowMs: number): string =>
  [...counts]
    .map(([kind, count]) => `${kind} ${((count * 1_000) / (nowMs - sinceMs)).toFixed(1)}`)
    .join(', ');

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return void process.stdout.write(HELP);
  const say = (text: string): boolean => process.stdout.write(`${text}\n`);
  const [nodes, changes, leaseMs] = [values.nodes, values.changes, values.lease].map(Number);
  const speed = { reads: Number(values.reads), commits: Number(values.commits) };
  const database = newDatabase({ ...speed, hints: !values['no-hints'] });
  const { timeline, random, counts, connect } = database;
  let started = 0;
  for (let made = 1; made <= Number(nodes); made += 1) {
    const parts = { code: REAL_CODE, ...connect(`node-${made}`), leaseMs: Number(leaseMs) };
    const node = newNode({ ...parts, random: random.fork() });
    // Spread over a second, as a supervisor starts them.
    const start = () => void node.start().then(() => (started += 1));
    timeline.after(random.between(0, 1_000), start);
  }
  await until(timeline, STARTING_MS_MAX, () => started === Number(nodes));
  say(`${nodes} nodes decide ${Math.round(timeline.nowMs)} ms after the first began to start`);

  counts.clear();
  const idleFromMs = timeline.nowMs;
  await timeline.run(idleFromMs + IDLE_MS);
  say(`idle, a second: ${rates(counts, idleFromMs, timeline.nowMs)}`);

  const { machine, connection } = connect('desk');
  const tookMs: number[] = [];
  const total = new Map<Kind, number>();
  for (let made = 0; made < Number(changes); made += 1) {
    await timeline.run(timeline.nowMs + BETWEEN_CHANGES_MS);
    counts.clear();
    const sinceMs = timeline.nowMs;
    let endMs = 0;
    const kind = made % 2 === 0 ? 'program.suspend' : 'program.reactivate';
    const change = { kind, programId: 'program_1', reason: '-' } as const;
    const receipt = connection
      .commit({ change, actor: '-', atMs: 0 })
      .then((committed) =>
        REAL_CODE.awaitReceipt(
          { nodes: connection.nodes, clock: machine.clock, sightings: newSightings() },
          committed,
          120_000,
        ),
      )
      .then(({ confirmed, complete }) => {
        if (!complete || confirmed.length !== Number(nodes)) throw new Error('not confirmed');
        endMs = timeline.nowMs;
        for (const [what, count] of counts) total.set(what, (total.get(what) ?? 0) + count);
      });
    await until(timeline, timeline.nowMs + 200_000, () => endMs > 0);
    await receipt;
    tookMs.push(endMs - sinceMs);
  }
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => Math.round(tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0);
  say(`change to receipt, ms: p50 ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)} of ${tookMs.length}`);
  const each = [...total].map(([what, count]) => `${what} ${Math.round(count / Number(changes))}`);
  say(`a change, until its receipt: ${each.join(', ')}`);
  say(`${timeline.events} events, ${Math.round(timeline.nowMs / 1_000)} simulated seconds`);
}

await main();
