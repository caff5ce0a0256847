/** `npm run bench`: /token and /introspect beside a bare server, in turn, durable; a table, and a verdict as exit code. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  belowFloor,
  figuresOf,
  isBlurred,
  journalComplaint,
  type Series,
  type Subject,
} from './figures.ts';
import { countJournalRows } from './journal-rows.ts';
import { assertLoadGenerator, CONNECTIONS } from './load.ts';
import { assertOnDisk, choosePlacement, describeMachine } from './machine.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { measureInTurn, type Ran, type RoundOptions, type Runner } from './rounds.ts';
import { type Authority, startAuthority, startBareServer } from './servers.ts';
import { tableOf } from './table.ts';

const TOKEN: Subject = { name: 'POST /token', floor: 0.35, target: 0.5 };
const INTROSPECT: Subject = { name: 'POST /introspect', floor: 0.5, target: 0.65 };
const BARE: Subject = { name: 'bare node:http' };
/** A server that is just being killed may still write while its folder is removed. */
const REMOVAL_RETRIES_MAX = 10;
const HERE = resolve(import.meta.dirname, '..');

type Bench = Options & RoundOptions & { readonly cleanUp: (() => Promise<void>)[] };

/** A checkout under load. What it is compared with (`--against`) has names of its own and no floor. */
type Checkout = { readonly authority: Authority; readonly data: string; readonly suffix: string };

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(HELP);
    return 0;
  }
  assertLoadGenerator();
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  const remove = (): void =>
    rmSync(directory, { recursive: true, force: true, maxRetries: REMOVAL_RETRIES_MAX });
  // Keys and secrets lie there, so they go on Ctrl-C as well; the servers see to their own end (servers.ts).
  process.on('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const bench: Bench = { ...options, directory, placement: choosePlacement(), cleanUp: [] };
  try {
    assertOnDisk(directory);
    return await run(bench);
  } finally {
    await stopAll(bench);
    remove();
  }
}

async function run(bench: Bench): Promise<number> {
  const machine = describeMachine(HERE);
  const { rounds, seconds, placement } = bench;
  console.log(`${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections; ${placement.words}`);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}`);
  console.log(`Node ${machine.node}, commit ${machine.commit}\n`);

  const checkouts = [await startCheckout(bench, HERE, '')];
  if (bench.againstDirectory !== undefined) {
    checkouts.push(await startCheckout(bench, resolve(bench.againstDirectory), ', against'));
  }
  const ran = await measureInTurn(await runnersOf(bench, checkouts), bench);
  // Before the journal is read: it is complete only now.
  await stopAll(bench);

  const figures = figuresOf(bareOf(ran), ran);
  console.log(tableOf(figures));
  console.log('\nMedians (lowest–highest round). CPU: processor time of the server per request.');
  if (isBlurred(bareOf(ran))) console.log('The machine was busy with other work: measure again.');
  const complaints = [
    ...belowFloor(figures),
    ...checkouts.flatMap((checkout) => missingFromJournal(checkout, ran, rounds)),
  ];
  if (bench.jsonFile !== undefined) {
    const placed = placement.words;
    const report = {
      machine,
      placement: placed,
      rounds,
      seconds,
      figures,
      series: ran,
      complaints,
    };
    writeFileSync(bench.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  for (const complaint of complaints) console.error(complaint);
  return complaints.length === 0 ? 0 : 1;
}

async function startCheckout(bench: Bench, root: string, suffix: string): Promise<Checkout> {
  const data = join(bench.directory, `data${bench.cleanUp.length}`);
  mkdirSync(data, { mode: 0o700 });
  const authority = await startAuthority(root, { data, placement: bench.placement });
  bench.cleanUp.push(authority.stop);
  return { authority, data, suffix };
}

/** The bare server first, then every endpoint of every checkout. */
async function runnersOf(bench: Bench, checkouts: readonly Checkout[]): Promise<readonly Runner[]> {
  const endpoints = checkouts.flatMap(({ authority: { token, introspect, pid }, suffix }) => [
    { subject: subjectOf(TOKEN, suffix), target: token, pid },
    { subject: subjectOf(INTROSPECT, suffix), target: introspect, pid },
  ]);
  const [first] = checkouts;
  if (first === undefined) throw new Error('nothing to measure');
  const bare = await startBareServer(first.authority.token, bench.placement);
  bench.cleanUp.push(bare.stop);
  return [{ subject: BARE, target: bare.target, pid: bare.pid }, ...endpoints];
}

function subjectOf(subject: Subject, suffix: string): Subject {
  return suffix === '' ? subject : { name: `${subject.name}${suffix}` };
}

function bareOf(ran: readonly Series[]): Series {
  const bare = ran.find(({ subject }) => subject === BARE);
  if (bare === undefined) throw new Error('the bare server was not measured');
  return bare;
}

/** Compares what was answered with what is on record; prints the two numbers when they fit. */
function missingFromJournal(
  { data, suffix }: Checkout,
  ran: readonly Ran[],
  rounds: number,
): readonly string[] {
  const name = subjectOf(TOKEN, suffix).name;
  const underLoad = ran.find(({ subject }) => subject.name === name)?.answers ?? 0;
  // One token more was issued before the load; and the warm-up is a run as well.
  const answers = underLoad + 1;
  const rows = countJournalRows(data);
  const complaint = journalComplaint({ rows, answers, uncountedMax: CONNECTIONS * (rounds + 1) });
  if (complaint !== undefined) return [`${name}: ${complaint}`];
  console.log(`${name}: ${answers} tokens answered, ${rows} on record.`);
  return [];
}

async function stopAll({ cleanUp }: Bench): Promise<void> {
  for (const stop of cleanUp.splice(0)) await stop();
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
