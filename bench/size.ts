/** `npm run bench:size`: start, memory and ratios of installations of several sizes, each started anew after it was filled. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { figuresOf, spreadOf } from './figures.ts';
import { enlarge, type Size } from './installation.ts';
import { assertLoadGenerator } from './load.ts';
import {
  anywhere,
  choosePlacement,
  describeMachine,
  type Placement,
  residentMiB,
} from './machine.ts';
import { measureInTurn } from './rounds.ts';
import { scratchFolder } from './scratch.ts';
import { type Authority, startAuthority, startBareServer } from './servers.ts';
import { readSizeOptions, SIZE_HELP, type SizeOptions } from './size-options.ts';
import {
  besideFirst,
  byKind,
  flatnessOf,
  nameOf,
  ofSize,
  type Sized,
  sizeTableOf,
} from './size-table.ts';
import type { RunningServer } from './start-process.ts';
import { bareRunners, runnersOf } from './subjects.ts';
import { answerOf } from './target.ts';

const HERE = resolve(import.meta.dirname, '..');
const GOALS =
  'goals: 143 MiB (150 MB) resident at 10,000 clients, 500 ms until the first token, ratios within 10 %';

/** One start is soon disturbed by whatever else the machine does. */
const STARTS = 3;

type Starts = Pick<Sized, 'firstTokenMs' | 'oneCoreMs' | 'idleMiB'>;
type Filled = { readonly size: Size; readonly authority: Authority };

async function main(args: readonly string[]): Promise<void> {
  const options = readSizeOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(SIZE_HELP);
    return;
  }
  assertLoadGenerator();
  const directory = scratchFolder();
  const machine = describeMachine(HERE);
  const placement = choosePlacement();
  const from = options.installedIn === undefined ? 'from the checkout' : 'as it is installed';
  console.log(`${from}; ${options.rounds} rounds of ${options.seconds} s; ${placement.words}`);
  console.log(GOALS);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB`);
  console.log(
    `${machine.system}, Node ${machine.node}, ${machine.date}, commit ${machine.commit}\n`,
  );
  const running: RunningServer[] = [];
  try {
    const filled: Filled[] = [];
    for (const size of options.sizes) {
      console.error(`Filling ${nameOf(size)}.`);
      filled.push(await fill(size, { directory, placement, installedIn: options.installedIn }));
    }
    const { sized, beside } = await measure(filled, { options, directory, placement, running });
    console.log(`${sizeTableOf(sized)}\n\n${flatnessOf(sized, beside)}`);
    if (options.jsonFile === undefined) return;
    const report = { machine, placement: placement.words, sizes: sized, beside };
    writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  } finally {
    for (const { stop } of running) await stop();
  }
}

async function fill(
  size: Size,
  at: {
    readonly directory: string;
    readonly placement: Placement;
    readonly installedIn: string | undefined;
  },
): Promise<Filled> {
  const data = join(at.directory, nameOf(size).replaceAll(/[ ,]+/g, '-'));
  mkdirSync(data, { mode: 0o700 });
  const folder = resolve(at.installedIn ?? HERE);
  const authority = await startAuthority(folder, { data, place: at.placement.onServerCore });
  await authority.stop();
  enlarge(data, size);
  return { size, authority };
}

/** Starts first, each while nothing else runs; then all sizes in turn, so that what slows one round down slows all of them down. */
async function measure(
  filled: readonly Filled[],
  at: {
    readonly options: SizeOptions;
    readonly directory: string;
    readonly placement: Placement;
    readonly running: RunningServer[];
  },
) {
  const starts: Starts[] = [];
  for (const { authority } of filled) {
    const { idleMiB, firstTokenMs } = await measureStarts(authority, anywhere);
    const onOneCore = await measureStarts(authority, at.placement.onServerCore);
    starts.push({ idleMiB, firstTokenMs, oneCoreMs: onOneCore.firstTokenMs });
  }
  const servers: RunningServer[] = [];
  for (const { authority } of filled) {
    const server = await authority.again();
    servers.push(server);
    at.running.push(server);
  }
  const [first] = filled;
  if (first === undefined) throw new Error('no size to measure');
  const { token, verify } = first.authority.targets;
  const bare = await startBareServer({ form: token, get: verify }, at.placement.onServerCore);
  at.running.push(bare);
  const own = filled.map(({ size, authority }, nth) => {
    const pids = [servers[nth]?.pid ?? 0];
    return runnersOf({ targets: authority.targets, pids }, { name: nameOf(size), goals: {} });
  });
  // The sizes of one question side by side: they are compared with each other.
  const ran = await measureInTurn([...bareRunners(bare), ...byKind(own)], {
    ...at.options,
    directory: at.directory,
    placement: at.placement,
  });
  const figures = figuresOf(ran);
  const sized = starts.map((start, nth): Sized => {
    const { size } = filled[nth] ?? first;
    const loadedMiB = residentMiB(servers[nth]?.pid ?? 0);
    return { ...start, size, loadedMiB, figures: ofSize(figures, size) };
  });
  return { sized, beside: figuresOf(besideFirst(ran, first.size)) };
}

async function measureStarts(authority: Authority, place: Placement['onServerCore']) {
  const times: number[] = [];
  let idleMiB: number | undefined;
  for (let count = 0; count < STARTS; count += 1) {
    const beganMs = performance.now();
    const server = await authority.again(place);
    try {
      await answerOf(authority.targets.token);
      times.push(performance.now() - beganMs);
      idleMiB = residentMiB(server.pid);
    } finally {
      await server.stop();
    }
  }
  return { firstTokenMs: spreadOf(times), idleMiB };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
