/** `npm run bench`: Countersign, and what it is compared with, in turn, durable; a table, and a verdict as exit code. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Bench, type Recorder, startField } from './field.ts';
import { belowFloor, figuresOf, isBlurred, journalComplaint, spreadOf } from './figures.ts';
import { assertLoadGenerator, CONNECTIONS } from './load.ts';
import { choosePlacement, describeMachine } from './machine.ts';
import { HELP, readOptions } from './options.ts';
import { type AtRate, measureAtRates, P99_TIMES_MAX, ratesTable } from './rates.ts';
import { beyondUsual, pictureOf, versionsLine } from './report.ts';
import { measureInTurn, type Ran, type Runner } from './rounds.ts';
import { scratchFolder } from './scratch.ts';
import { BARE_FORM, BARE_GET, QUESTIONS } from './subjects.ts';
import { countSyncsUnderLoad, type Syncs } from './syncs.ts';
import { tableOf } from './table.ts';

const HERE = resolve(import.meta.dirname, '..');
const AT_RATES = new Set([BARE_FORM, BARE_GET, ...QUESTIONS].map(({ name }) => name));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(HELP);
    return 0;
  }
  assertLoadGenerator();
  const directory = scratchFolder();
  const bench: Bench = { ...options, directory, placement: choosePlacement(), cleanUp: [] };
  try {
    return await run(bench);
  } finally {
    await stopAll(bench);
  }
}

async function run(bench: Bench): Promise<number> {
  const machine = describeMachine(HERE);
  const { rounds, seconds, placement } = bench;
  console.log(`${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections; ${placement.words}`);
  if (bench.peers || bench.variants) {
    console.log('PostgreSQL beside the load; two workers and their load on all cores');
  }
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB`);
  console.log(
    `${machine.system}, Node ${machine.node}, ${machine.date}, commit ${machine.commit}\n`,
  );

  const { runners, recorders } = await startField(bench);
  const ran = await measureInTurn(runners, bench);
  const whole = ran.filter(({ failure }) => failure === undefined);
  const figures = figuresOf(whole);
  console.log(tableOf(figures));
  console.log('\nMedians (lowest–highest round). CPU: processor time of the server per request.');
  if (bench.peers) console.log(versionsLine());
  const beyond = beyondUsual(figures);
  if (beyond !== undefined) console.log(beyond);
  const isBusy = isBlurred(seriesOf(ran, BARE_FORM.name));
  if (isBusy) console.log('The machine was busy with other work: measure again.');
  const complaints = [
    ...ran.flatMap(({ subject, failure }) =>
      failure === undefined ? [] : [`${subject.name}: ${failure}`],
    ),
    ...belowFloor(figures),
    ...(await missingFromRecord(recorders, ran, bench)),
  ];
  const rates = bench.rates ? await atRates(bench, runners, { ran, complaints }) : [];
  await stopAll(bench);
  const syncs = bench.syncs ? await syncsOf(bench) : undefined;

  if (bench.jsonFile !== undefined) {
    const measured = { figures, rates, syncs, series: ran, complaints };
    const how = { machine, placement: placement.words, rounds, seconds, isBusy };
    writeFileSync(bench.jsonFile, `${JSON.stringify({ ...how, ...measured }, undefined, 2)}\n`);
  }
  if (bench.plotFile !== undefined) writeFileSync(bench.plotFile, pictureOf(figures));
  for (const complaint of complaints) console.error(complaint);
  return complaints.length === 0 ? 0 : 1;
}

function seriesOf(ran: readonly Ran[], name: string): Ran {
  const found = ran.find(({ subject }) => subject.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

/** Countersign as it is installed, and the bare server. */
async function atRates(
  bench: Bench,
  runners: readonly Runner[],
  { ran, complaints }: { readonly ran: readonly Ran[]; readonly complaints: string[] },
): Promise<readonly AtRate[]> {
  const capacityOf = ({ subject }: Runner): number =>
    spreadOf(seriesOf(ran, subject.name).rounds.map((round) => round.requestsPerSecond)).median;
  const failed = (why: string): void => void complaints.push(why);
  const rates = await measureAtRates(runners, capacityOf, { ...bench, names: AT_RATES, failed });
  console.log(`\n${ratesTable(rates)}`);
  const half = rates.find(({ name, share }) => name === 'POST /token' && share === 0.5);
  if (half !== undefined) {
    console.log(`p99 of /token at half load: ${half.p99Times.toFixed(1)} times the bare server's`);
    console.log(`(the goal: at most ${P99_TIMES_MAX}), each at half of its own capacity.`);
  }
  return rates;
}

/** Of each run: what is under way on a connection when the load ends, what came back as it ended, and the one that told that it answers. */
const UNCOUNTED_MAX = 2 * CONNECTIONS + 1;

/** Compares what was answered with what is on record; prints the two numbers when they fit. */
async function missingFromRecord(
  recorders: readonly Recorder[],
  ran: readonly Ran[],
  { rounds }: Bench,
): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const { name, countTokens } of recorders) {
    // One token more was issued before the load; and the warm-up is a run as well.
    const answers = seriesOf(ran, name).answers + 1;
    const rows = await countTokens();
    const complaint = journalComplaint({
      rows,
      answers,
      uncountedMax: UNCOUNTED_MAX * (rounds + 1),
    });
    if (complaint !== undefined) complaints.push(`${name}: ${complaint}`);
    else console.log(`${name}: ${answers} tokens answered, ${rows} on record.`);
  }
  return complaints;
}

async function syncsOf(bench: Bench): Promise<Syncs | undefined> {
  const syncs = await countSyncsUnderLoad(bench).catch((error: Error) => error.message);
  if (typeof syncs === 'string') {
    console.error(syncs);
    return undefined;
  }
  const { tokens, per1000Tokens, tokensPerSecond } = syncs;
  const rate = Math.round(tokensPerSecond).toLocaleString('en');
  console.log(
    `Syncs: ${per1000Tokens.toFixed(1)} per 1,000 tokens, over ${tokens} tokens at ${rate}/s.`,
  );
  return syncs;
}

async function stopAll({ cleanUp }: Bench): Promise<void> {
  for (const stop of cleanUp.splice(0).reverse()) await stop();
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
