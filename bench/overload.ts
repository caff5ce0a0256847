/**
 * `npm run bench:overload`: one node, asked by five times as many callers as it decides at once. How much it still grants, how early
 * the rest is told to come back, how long a suspension takes meanwhile, and what it costs in memory.
 */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HTTP_LIMITS } from '../server/src/http/limits.ts';
import { commitAndAwait, type OperationContext } from '../server/src/operations/context.ts';
import { asOperator, type Onboarded } from '../server/src/testing/onboarding.ts';
import type { CrowdReport } from './crowd.ts';
import { LATENCY_HEAD, latenciesOf, latencyLine } from './latencies.ts';
import { choosePlacement, describeMachine, residentMiB } from './machine.ts';
import { wholeNumber } from './options.ts';
import { scratchFolder } from './scratch.ts';
import { sendCrowd } from './send-crowd.ts';
import { startAuthority, startBareServer } from './servers.ts';
import { onboardMany } from './suspend-each.ts';
import type { Target } from './target.ts';

/** How many times as many callers as fit. */
const OVERLOAD_TIMES = 5;

const HELP = `npm run bench:overload -- [--seconds N] [--callers N] [--suspensions N] [--json FILE]

Asks POST /token of one server: by few callers; by a fifth of all, which it can serve; by all, which wait when they are told to; by few;
by all, which do not wait; and by few. Meanwhile programs are suspended. A bare server is asked by few and by all too, which tells what
connections alone cost. Exit code 1 when callers that wait are granted less than four fifths of what few are, when an answer is neither
a grant nor "come back later", or when one does not say how much later.

  --seconds N       of each of the eight, 1 to 3600 (default 20)
  --callers N       connections at once, 1 to 9000 (default ${OVERLOAD_TIMES * HTTP_LIMITS.inFlightMax}: five times what is decided at once)
  --suspensions N   at most, in each of the two overloads, 1 to 10000 (default 100)
  --json FILE       also write every figure to FILE
`;

const HERE = resolve(import.meta.dirname, '..');
/** Enough to keep one core busy. */
const FEW_CALLERS = 64;
const SECONDS_MAX = 3_600;
const CALLERS_MAX = 9_000;
const SUSPENSIONS_MAX = 10_000;
/** Until all have connected, and the first have been told to wait. */
const ARRIVAL_MS = 2_000;
const BETWEEN_SUSPENSIONS_MS = 50;
const GRANTED_SHARE_MIN = 0.8;

type Options = {
  readonly seconds: number;
  readonly callers: number;
  readonly suspensions: number;
  readonly jsonFile: string | undefined;
};

type Overload = {
  readonly name: string;
  /** Grants a second to few callers, before and after: a machine that others use as well is not the same all the time. */
  readonly few: readonly number[];
  readonly isDeaf: boolean;
  readonly crowd: CrowdReport;
  readonly suspensionsMs: readonly number[];
  readonly residentMiB: number | undefined;
};

/** Grants a second to as many callers as fit. */
type Fitting = { readonly callers: number; readonly granted: number };

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '20' },
      callers: { type: 'string', default: String(OVERLOAD_TIMES * HTTP_LIMITS.inFlightMax) },
      suspensions: { type: 'string', default: '100' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  return await measure(scratchFolder(), {
    seconds: wholeNumber('--seconds', values.seconds, SECONDS_MAX),
    callers: wholeNumber('--callers', values.callers, CALLERS_MAX),
    suspensions: wholeNumber('--suspensions', values.suspensions, SUSPENSIONS_MAX),
    jsonFile: values.json,
  });
}

async function measure(data: string, options: Options): Promise<number> {
  const placement = choosePlacement();
  const machine = describeMachine(HERE);
  const { seconds, callers } = options;
  console.log(`${callers} callers, ${seconds} s each; ${placement.words}`);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}`);
  console.log(`Node ${machine.node}, ${machine.date}, commit ${machine.commit}\n`);
  const authority = await startAuthority(HERE, { data, place: placement.onServerCore });
  try {
    const { token, verify } = authority.targets;
    const bare = await startBareServer({ form: token, get: verify }, placement.onServerCore);
    const bareShare = await shareOf(bare.form, options).finally(bare.stop);
    console.log(
      `A bare server answers ${callers} callers ${bareShare.toFixed(2)} times as many requests as ${FEW_CALLERS}.\n`,
    );
    const ask = async (count: number): Promise<number> => {
      const { good } = await sendCrowd({ targets: [token], callers: count, seconds }, placement);
      return good / seconds;
    };
    let few = await ask(FEW_CALLERS);
    const before = residentMiB(authority.pid);
    const fittingCallers = Math.ceil(callers / OVERLOAD_TIMES);
    const fitting = { callers: fittingCallers, granted: await ask(fittingCallers) };
    console.log(
      `${FEW_CALLERS} callers: ${few.toFixed(0)} grants/s; ${before?.toFixed(0) ?? '?'} MiB\n` +
        `${fittingCallers} callers, who fit: ${fitting.granted.toFixed(0)} grants/s`,
    );
    const overloads: Overload[] = [];
    await asOperator(data, async (context) => {
      for (const isDeaf of [false, true]) {
        const programs = await onboardMany(context, options.suspensions);
        const sent = sendCrowd({ targets: [token], callers, seconds, isDeaf }, placement);
        const observed = await observe(sent, { context, programs, pid: authority.pid });
        const name = `${callers} callers that ${isDeaf ? 'do not wait' : 'wait when told to'}`;
        const fewAfter = await ask(FEW_CALLERS);
        overloads.push({ name, isDeaf, few: [few, fewAfter], ...observed });
        few = fewAfter;
      }
    });
    const complaints = overloads.flatMap(complaintsOf);
    for (const overload of overloads) print(overload, fitting);
    if (options.jsonFile !== undefined) {
      const report = {
        machine,
        placement: placement.words,
        options,
        bareShare,
        fitting,
        before,
        overloads,
        complaints,
      };
      writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    for (const complaint of complaints) console.error(complaint);
    return complaints.length === 0 ? 0 : 1;
  } finally {
    await authority.stop();
  }
}

/** What becomes of a server's answers a second when all callers ask at once, instead of few: nothing else changes. */
async function shareOf(target: Target, { callers, seconds }: Options): Promise<number> {
  const ask = (count: number) =>
    sendCrowd({ targets: [target], callers: count, seconds }, choosePlacement());
  const few = await ask(FEW_CALLERS);
  const all = await ask(callers);
  return all.good / few.good;
}

/** Suspends one program after the other for as long as the crowd is there. */
async function observe(
  sent: Promise<CrowdReport>,
  by: {
    readonly context: OperationContext;
    readonly programs: readonly Onboarded[];
    readonly pid: number;
  },
): Promise<Omit<Overload, 'name' | 'isDeaf' | 'few'>> {
  const suspensionsMs: number[] = [];
  let isOver = false;
  const over = sent.finally(() => {
    isOver = true;
  });
  let most = 0;
  await sleep(ARRIVAL_MS);
  for (const { programId } of by.programs) {
    if (isOver) break;
    const beganMs = performance.now();
    const change = { kind: 'program.suspend', programId, reason: 'overload' } as const;
    const { receipt } = await commitAndAwait(by.context, change);
    if (!receipt.complete || receipt.fenced.length > 0) throw new Error('a receipt was not whole');
    suspensionsMs.push(performance.now() - beganMs);
    most = Math.max(most, residentMiB(by.pid) ?? 0);
    await sleep(BETWEEN_SUSPENSIONS_MS);
  }
  return { crowd: await over, suspensionsMs, residentMiB: most === 0 ? undefined : most };
}

/** What is granted to all of them, of what few are granted around the same time. */
function shareOfFew({ crowd, few }: Overload): number {
  return crowd.good / crowd.seconds / (few.reduce((sum, one) => sum + one, 0) / few.length);
}

function complaintsOf(overload: Overload): readonly string[] {
  const { name, isDeaf, crowd } = overload;
  const complaints: string[] = [];
  const { other, withoutRetryAfter, broken } = crowd;
  const unexpected = Object.entries(other).map(([status, count]) => `${count} times ${status}`);
  if (unexpected.length > 0) complaints.push(`${name}: ${unexpected.join(', ')}`);
  if (withoutRetryAfter > 0) complaints.push(`${name}: ${withoutRetryAfter} without Retry-After`);
  if (broken > 0) complaints.push(`${name}: ${broken} connections broke`);
  const share = shareOfFew(overload);
  if (!isDeaf && share < GRANTED_SHARE_MIN) {
    complaints.push(`${name}: ${share.toFixed(2)} of what ${FEW_CALLERS} callers are granted`);
  }
  return complaints;
}

function print(overload: Overload, fitting: Fitting): void {
  const { name, crowd, few, suspensionsMs, residentMiB } = overload;
  const granted = crowd.good / crowd.seconds;
  const told = crowd.toldToWait / crowd.seconds;
  const [before, after] = few.map((one) => one.toFixed(0));
  console.log(`\n${name}`);
  console.log(
    `  ${granted.toFixed(0)} grants/s, ${shareOfFew(overload).toFixed(2)} of what ${FEW_CALLERS} get (${before} before, ${after} after), ` +
      `${(granted / fitting.granted).toFixed(2)} of what ${fitting.callers} get\n` +
      `  ${told.toFixed(0)}/s told to come back; ${residentMiB?.toFixed(0) ?? '?'} MiB at most`,
  );
  console.log(`  ${LATENCY_HEAD}`);
  const lines = [
    ['a grant', crowd.goodLatencies],
    ['"come back later"', crowd.waitLatencies],
    [
      `a suspension with its receipt (${suspensionsMs.length})`,
      suspensionsMs.length === 0 ? undefined : latenciesOf(suspensionsMs),
    ],
  ] as const;
  for (const [of, latencies] of lines) {
    if (latencies !== undefined) console.log(`  ${latencyLine(of, latencies)}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
