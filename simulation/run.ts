/** `node simulation/run.ts`: runs histories, shows how far it is, and says how to run a broken one again. */

import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ALL_BUGS, subjectOf } from './bugs.ts';
import { type Outcome, runHistories } from './histories.ts';
import { runHistory } from './history.ts';

const HELP = `Usage: node simulation/run.ts [options]

Runs simulated histories of many nodes and checks what Countersign promises.

  --histories N   how many (default 1000)
  --seed S        seed of the first history; each has the next one (default: a random one, printed)
  --nodes K       nodes in each (default: 3 to 12, by the seed)
  --bug NAME      with one known bug switched on; succeeds when the bug is caught
  --tell          prints everything that happens (for one history)
  --json          prints one JSON document
  --help

Exit code: 0 all promises kept (with --bug: the bug was caught), 1 otherwise, 2 wrong usage.

Bugs:
${Object.entries({ ...ALL_BUGS })
  .map(([name, { is }]) => `  ${name.padEnd(28)}${is}`)
  .join('\n')}
`;

const SEED_MAX = 2 ** 40;
/** How often it says how far it is: over and over in one line on a terminal, a line each elsewhere. */
const PROGRESS_EVERY_MS = process.stderr.isTTY ? 2_000 : 30_000;

const options = {
  histories: { type: 'string', default: '1000' },
  seed: { type: 'string' },
  nodes: { type: 'string' },
  bug: { type: 'string' },
  tell: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`--${name} takes a whole number from ${least} on, not "${text}"`);
}

function progress(of: number): (done: Outcome) => Promise<void> {
  const beganMs = performance.now();
  let shownMs = beganMs;
  let told = 0;
  return async ({ histories, broken }) => {
    const isNew = broken.length > told;
    if (!isNew && performance.now() - shownMs < PROGRESS_EVERY_MS) return;
    shownMs = performance.now();
    told = broken.length;
    const leftS = ((shownMs - beganMs) / histories) * (of - histories) * 0.001;
    const seed = isNew ? ` (seed ${broken.at(-1)?.seed})` : '';
    const text = `${histories} of ${of} histories, ${told} broken${seed}, ${Math.ceil(leftS)} s left`;
    process.stderr.write(process.stderr.isTTY ? `\r${text}   ` : `${text}\n`);
    // A history never lets the event loop turn: without this, not even ^C would be heard.
    await nextTurn();
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    say(HELP);
    return 0;
  }
  const histories = whole('histories', values.histories, 1);
  const seed = whole('seed', values.seed ?? String(randomInt(SEED_MAX)), 0);
  const nodes = values.nodes === undefined ? undefined : whole('nodes', values.nodes, 1);
  const { bug } = values;
  const subject = await subjectOf(bug);
  const again = [nodes && `--nodes ${nodes}`, bug && `--bug ${bug}`].filter(Boolean).join(' ');
  if (values.tell) {
    const { violations, hash } = await runHistory({ seed, nodes, ...subject, tell: say });
    say(JSON.stringify({ seed, hash, violations }, undefined, 2));
    return violations.length === 0 ? 0 : 1;
  }
  if (!values.json) say(`seed ${seed}`);
  const stopsAtFirst = bug !== undefined;
  const onHistory = progress(histories);
  const done = await runHistories({ histories, seed, nodes, subject, stopsAtFirst, onHistory });
  if (values.json) say(JSON.stringify({ seed, bug, ...done }));
  else report(done, again);
  return done.broken.length > 0 === (bug !== undefined) ? 0 : 1;
}

function report({ histories, simulatedMs, events, broken }: Outcome, again: string): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
  for (const { seed, violations } of broken) {
    for (const { rule, atMs, what } of violations)
      say(`seed ${seed}, ${atMs} ms: ${rule}: ${what}`);
    say(`  again: node simulation/run.ts --histories 1 --seed ${seed} ${again} --tell`);
  }
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  say(
    `${histories} histories, ${events} events, ${hours} simulated hours, ${broken.length} broken`,
  );
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`${error.message}; see --help\n`);
  return 2;
});
