/** `npm run bench:size`: start, memory and ratios of installations of several sizes, each started anew after it was filled. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Figures, figuresOf } from './figures.ts';
import { enlarge, type Size } from './installation.ts';
import { assertLoadGenerator } from './load.ts';
import { assertOnDisk, choosePlacement, describeMachine, residentMiB } from './machine.ts';
import { measureInTurn } from './rounds.ts';
import { endOnSignals } from './scratch.ts';
import { startAuthority, startBareServer } from './servers.ts';
import { readSizeOptions, SIZE_HELP, type SizeOptions } from './size-options.ts';
import { bareRunners, runnersOf } from './subjects.ts';
import { answerOf } from './target.ts';

const HERE = resolve(import.meta.dirname, '..');
const GOALS = 'goals: 150 MiB resident at 10,000 clients, 0.5 s until the first token';

type Sized = {
  readonly size: Size;
  readonly firstTokenMs: number;
  /** After the first token, and after the load; undefined where the system does not tell. */
  readonly idleMiB: number | undefined;
  readonly loadedMiB: number | undefined;
  readonly figures: readonly Figures[];
};

async function main(args: readonly string[]): Promise<void> {
  const options = readSizeOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(SIZE_HELP);
    return;
  }
  assertLoadGenerator();
  endOnSignals();
  const machine = describeMachine(HERE);
  const placement = choosePlacement();
  const from = options.installedIn === undefined ? 'from the checkout' : 'as it is installed';
  console.log(`${from}; ${options.rounds} rounds of ${options.seconds} s; ${placement.words}`);
  console.log(GOALS);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB`);
  console.log(
    `${machine.system}, Node ${machine.node}, ${machine.date}, commit ${machine.commit}\n`,
  );
  console.log(line(['clients', 'journal', 'revoked', 'first token', 'idle', 'loaded', ...KINDS]));
  const all: Sized[] = [];
  for (const size of options.sizes) {
    const sized = await measureSize(size, options);
    all.push(sized);
    console.log(lineOf(sized));
  }
  if (options.jsonFile === undefined) return;
  const report = { machine, placement: placement.words, sizes: all };
  writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measureSize(size: Size, options: SizeOptions): Promise<Sized> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-size-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  process.once('exit', remove);
  const stops: (() => Promise<void>)[] = [];
  try {
    assertOnDisk(directory);
    const placement = choosePlacement();
    const place = placement.onServerCore;
    const data = join(directory, 'data');
    mkdirSync(data, { mode: 0o700 });
    const folder = resolve(options.installedIn ?? HERE);
    const { stop, again, targets } = await startAuthority(folder, { data, place });
    await stop();
    enlarge(data, size);
    const beganMs = performance.now();
    const server = await again();
    stops.push(server.stop);
    await answerOf(targets.token);
    const firstTokenMs = performance.now() - beganMs;
    const idleMiB = residentMiB(server.pid);
    const bare = await startBareServer({ form: targets.token, get: targets.verify }, place);
    stops.push(bare.stop);
    const runners = [...bareRunners(bare), ...runnersOf({ targets, pids: [server.pid] })];
    const figures = figuresOf(await measureInTurn(runners, { ...options, directory, placement }));
    return { size, firstTokenMs, idleMiB, loadedMiB: residentMiB(server.pid), figures };
  } finally {
    for (const stop of stops) await stop();
    remove();
    process.off('exit', remove);
  }
}

const KINDS = ['/token', '/introspect', '/verify'];
const WIDTHS = [10, 11, 8, 12, 9, 9, 8, 12, 8];

function lineOf({ size, firstTokenMs, idleMiB, loadedMiB, figures }: Sized): string {
  const count = (n: number): string => n.toLocaleString('en');
  const mib = (n: number | undefined): string => (n === undefined ? '' : `${n.toFixed(0)} MiB`);
  const ratios = KINDS.map((kind) =>
    figures.find(({ subject }) => subject.name.endsWith(kind))?.ratio.median.toFixed(2),
  );
  return line([
    ...[count(size.clients), count(size.journalRows), count(size.revoked)],
    ...[`${firstTokenMs.toFixed(0)} ms`, mib(idleMiB), mib(loadedMiB)],
    ...ratios.map((ratio = '') => ratio),
  ]);
}

function line(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padStart(WIDTHS[at] ?? 0)).join('  ');
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
