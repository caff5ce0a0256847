/** `npm run bench:revocation`: how long a suspension takes until it is proven, on real servers under load. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { histogramOf, LATENCY_HEAD, latenciesOf, latencyLine } from './latencies.ts';
import { describeMachine, residentMiB } from './machine.ts';
import { type Nodes, withNodes } from './nodes.ts';
import { HELP, type RevocationOptions, readRevocationOptions } from './revocation-options.ts';
import { endOnSignals } from './scratch.ts';
import { onboardMany, type Suspensions, suspendEach } from './suspend-each.ts';

const HERE = resolve(import.meta.dirname, '..');
const IDLE_MS = 5_000;
const TELL_EVERY = 100;

type Report = {
  readonly suspensions: Suspensions;
  readonly seconds: number;
  /** Transactions a second of the database while nobody asks anything; undefined on SQLite. */
  readonly idleTransactionsPerSecond: number | undefined;
  readonly memoryMiB: readonly number[];
};

async function main(args: readonly string[]): Promise<number> {
  const options = readRevocationOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(HELP);
    return 0;
  }
  endOnSignals();
  console.error(`starting ${options.nodes} nodes on ${options.store}`);
  const report = await withNodes(options, (nodes) => measure(nodes, options));
  print(options, report);
  if (options.jsonFile !== undefined) {
    const machine = describeMachine(HERE);
    const whole = JSON.stringify({ machine, options, ...report }, undefined, 2);
    writeFileSync(options.jsonFile, `${whole}\n`);
  }
  const { accepted, load } = report.suspensions;
  if (accepted > 0) console.error(`${accepted} tokens were accepted after their receipt`);
  if (load.failures > 0) console.error(`${load.failures} requests of the load failed`);
  return accepted + load.failures === 0 ? 0 : 1;
}

async function measure(nodes: Nodes, options: RevocationOptions): Promise<Report> {
  const idleTransactionsPerSecond = await idleRate(nodes);
  console.error(`onboarding ${options.suspensions} programs`);
  const programs = await onboardMany(nodes.context, options.suspensions);
  const beganMs = performance.now();
  const suspensions = await suspendEach(nodes, programs, (done) => {
    if (done % TELL_EVERY === 0) console.error(`${done} suspended`);
  });
  return {
    suspensions,
    seconds: (performance.now() - beganMs) / 1_000,
    idleTransactionsPerSecond,
    memoryMiB: nodes.servers.flatMap(({ process: { pid } }) => residentMiB(pid ?? 0) ?? []),
  };
}

async function idleRate({ transactions }: Nodes): Promise<number | undefined> {
  if (transactions === undefined) return undefined;
  console.error('watching idle nodes');
  // The database publishes its counters with a delay of up to a second.
  await sleep(1_500);
  const [before, beganMs] = [await transactions(), performance.now()];
  await sleep(IDLE_MS);
  const after = await transactions();
  return ((after - before) * 1_000) / (performance.now() - beganMs);
}

function print(options: RevocationOptions, report: Report): void {
  const machine = describeMachine(HERE);
  const { toReceiptMs, toRefusedEverywhereMs, accepted, unavailable, load } = report.suspensions;
  const store = options.isPollingOnly ? 'PostgreSQL, polling only' : options.store;
  const perSecond = (load.requests / report.seconds).toFixed(0);
  console.log(`${options.suspensions} suspensions, ${options.nodes} nodes, store: ${store}`);
  console.log(`load: ${perSecond} requests/s over all nodes, ${load.failures} failed`);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}`);
  console.log(`Node ${machine.node}, commit ${machine.commit}\n`);
  console.log(LATENCY_HEAD);
  console.log(latencyLine('suspension to receipt', latenciesOf(toReceiptMs)));
  console.log(latencyLine('suspension to refused everywhere', latenciesOf(toRefusedEverywhereMs)));
  console.log(`\nsuspension to receipt\n${histogramOf(toReceiptMs)}`);
  console.log(`\naccepted after the receipt: ${accepted}; answered 503: ${unavailable}`);
  if (report.idleTransactionsPerSecond !== undefined) {
    const rate = report.idleTransactionsPerSecond.toFixed(1);
    console.log(`database with idle nodes: ${rate} transactions/s`);
  }
  const memory = report.memoryMiB.map((mib) => mib.toFixed(0)).join(', ');
  if (memory !== '') console.log(`memory of the nodes: ${memory} MiB`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
