/** `npm run bench:soak`: one node under a steady mix of calls for half an hour. Flat memory, flat descriptors, and no answer but good ones. */

import { readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { commitAndAwait, type OperationContext } from '../server/src/operations/context.ts';
import { asOperator, onboard } from '../server/src/testing/onboarding.ts';
import type { CrowdReport } from './crowd.ts';
import { growthIn, type Sample, thirdsOf } from './growth.ts';
import { choosePlacement, describeMachine, residentMiB } from './machine.ts';
import { wholeNumber } from './options.ts';
import { scratchFolder } from './scratch.ts';
import { sendCrowd } from './send-crowd.ts';
import { type Authority, startAuthority } from './servers.ts';

const HELP = `npm run bench:soak -- [--minutes N] [--callers N] [--pause-ms N] [--json FILE]

Asks one server for tokens and about tokens, good ones and garbage, and suspends and reactivates a program all the while. Exit code 1 when
its memory or its descriptors grow from the second third of the time to the last, or any answer is not the right one.

  --minutes N    1 to 1440 (default 30)
  --callers N    connections at once, 1 to 1000 (default 32)
  --pause-ms N   between an answer and the caller's next request, 0 to 1000 (default 10)
  --json FILE    also write every sample to FILE
`;

const HERE = resolve(import.meta.dirname, '..');
const SAMPLES = 180;
const MINUTES_MAX = 1_440;
const CALLERS_MAX = 1_000;
const PAUSE_MS_MAX = 1_000;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '30' },
      callers: { type: 'string', default: '32' },
      'pause-ms': { type: 'string', default: '10' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seconds = 60 * wholeNumber('--minutes', values.minutes, MINUTES_MAX);
  const callers = wholeNumber('--callers', values.callers, CALLERS_MAX);
  const pauseMs =
    values['pause-ms'] === '0' ? 0 : wholeNumber('--pause-ms', values['pause-ms'], PAUSE_MS_MAX);
  const data = scratchFolder();
  const placement = choosePlacement();
  const machine = describeMachine(HERE);
  const authority = await startAuthority(HERE, { data, place: placement.onServerCore });
  try {
    const targets = targetsOf(authority);
    const sent = sendCrowd({ targets, callers, seconds, pauseMs }, placement);
    const [crowd, { samples, suspensions }] = await Promise.all([
      sent,
      asOperator(data, (context) => watch(authority.pid, { context, seconds })),
    ]);
    const complaints = [...growthIn(samples), ...unexpectedIn(crowd)];
    print({ crowd, samples, suspensions, minutes: seconds / 60 });
    console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}`);
    console.log(`Node ${machine.node}, ${machine.date}, commit ${machine.commit}`);
    if (values.json !== undefined) {
      const report = { machine, crowd, samples, suspensions, complaints };
      writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    for (const complaint of complaints) console.error(complaint);
    return complaints.length === 0 ? 0 : 1;
  } finally {
    await authority.stop();
  }
}

/** What partners and the bank's API ask, and what nobody should. */
function targetsOf({ targets }: Authority) {
  const { token, introspect, verify } = targets;
  const garbage = { ...introspect, form: { ...introspect.form, token: 'token_test_garbage' } };
  const metadata = {
    url: introspect.url.replace(/introspect$/, '.well-known/oauth-authorization-server'),
  };
  return [token, introspect, verify, garbage, metadata];
}

/** Looks at the server now and then, and suspends and reactivates a program in between. */
async function watch(
  pid: number,
  { context, seconds }: { readonly context: OperationContext; readonly seconds: number },
): Promise<{ readonly samples: readonly Sample[]; readonly suspensions: number }> {
  const { programId } = await onboard(context);
  const samples: Sample[] = [];
  const beganMs = performance.now();
  const everyMs = (seconds * 1_000) / SAMPLES;
  let suspensions = 0;
  for (let taken = 0; taken < SAMPLES; taken += 1) {
    await sleep(Math.max(0, beganMs + (taken + 1) * everyMs - performance.now()));
    const atSeconds = (performance.now() - beganMs) / 1_000;
    samples.push({ atSeconds, mib: residentMiB(pid) ?? 0, descriptors: descriptorsOf(pid) });
    await commitAndAwait(context, { kind: 'program.suspend', programId, reason: 'soak' });
    await commitAndAwait(context, { kind: 'program.reactivate', programId });
    suspensions += 1;
    if (taken % 30 === 29) console.error(`${atSeconds.toFixed(0)} of ${seconds} s`);
  }
  return { samples, suspensions };
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function unexpectedIn({ other, toldToWait, broken }: CrowdReport): readonly string[] {
  const answers = Object.entries(other).map(([status, count]) => `${count} answers ${status}`);
  if (toldToWait > 0) answers.push(`${toldToWait} times "come back later"`);
  if (broken > 0) answers.push(`${broken} connections broke`);
  return answers;
}

function print(of: {
  readonly crowd: CrowdReport;
  readonly samples: readonly Sample[];
  readonly suspensions: number;
  readonly minutes: number;
}): void {
  const { crowd, samples, suspensions, minutes } = of;
  const memory = thirdsOf(samples, 'mib');
  const descriptors = thirdsOf(samples, 'descriptors');
  const rate = (crowd.good / crowd.seconds).toFixed(0);
  console.log(
    `${minutes} minutes: ${crowd.good} good answers (${rate}/s), ${suspensions} suspensions`,
  );
  console.log(
    `memory: ${memory.second.toFixed(0)} MiB in the second third, ${memory.last.toFixed(0)} in the last; ` +
      `descriptors: ${descriptors.second} and ${descriptors.last}`,
  );
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
