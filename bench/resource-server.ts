/** `npm run bench:resource-server`: what a guard costs on each framework, what a check costs, and how soon a subscribed API refuses. */

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier, type Verifier } from '../resource-server/src/index.ts';
import { SUBSCRIBER_LEASE_MS } from '../server/src/replica/subscriptions.ts';
import { type Onboarded, onboard, requestToken } from '../server/src/testing/onboarding.ts';
import { type Api, withApis } from './apis.ts';
import {
  type Figures,
  figuresOf,
  isBlurred,
  processorRatio,
  type Spread,
  spreadOf,
} from './figures.ts';
import { LATENCY_HEAD, latenciesOf, latencyLine } from './latencies.ts';
import { assertLoadGenerator, CONNECTIONS } from './load.ts';
import { choosePlacement, describeMachine, type Placement } from './machine.ts';
import { type Nodes, withNodes } from './nodes.ts';
import { type Refusals, refuseEach } from './refusals.ts';
import {
  HELP,
  type ResourceServerOptions,
  readResourceServerOptions,
} from './resource-server-options.ts';
import { measureInTurn, type Ran } from './rounds.ts';
import { scratchFolder } from './scratch.ts';
import { onboardMany } from './suspend-each.ts';
import { tableOf } from './table.ts';
import { checksPerSecond } from './verification-rate.ts';

const HERE = resolve(import.meta.dirname, '..');
/** A guard that remembers asks once a minute, and while a busy machine keeps its pings; one that asked each time would be far above. */
const ASKED_SHARE_MAX = 0.05;
/** Clocks may differ in rate, and timers be late. */
const LEASE_MARGIN = 1.1;
const REMEMBERED_MS_MAX = 30_000;
const ONE_NODE = { nodes: 1, store: 'sqlite', isPollingOnly: false } as const;

type Bench = ResourceServerOptions & { readonly directory: string; readonly placement: Placement };

type Rates = { readonly remembering: Spread; readonly asking: Spread; readonly ratio: Spread };
type Report = {
  readonly guards: readonly Figures[];
  /** Processor time of a guarded request to that of an open one, by framework; undefined where the system does not tell. */
  readonly processor: Readonly<Record<string, Spread | undefined>>;
  readonly isBlurred: boolean;
  readonly askedShare: number;
  readonly checks: Rates;
  readonly refusals: Refusals;
};

async function main(args: readonly string[]): Promise<number> {
  const options = readResourceServerOptions(args);
  if (options.isHelpWanted) {
    process.stdout.write(HELP);
    return 0;
  }
  assertLoadGenerator();
  const directory = scratchFolder();
  const bench: Bench = { ...options, directory, placement: choosePlacement() };
  const report = await withNodes(ONE_NODE, (nodes) => measure(bench, nodes));
  print(bench, report);
  const complaints = complaintsOf(report);
  if (options.jsonFile !== undefined) {
    const whole = { machine: describeMachine(HERE), options, ...report, complaints };
    writeFileSync(options.jsonFile, `${JSON.stringify(whole, undefined, 2)}\n`);
  }
  for (const complaint of complaints) console.error(complaint);
  return complaints.length === 0 ? 0 : 1;
}

async function measure(bench: Bench, { context, servers }: Nodes): Promise<Report> {
  const authorityUrl = servers[0]?.url ?? '';
  const issuer = `${authorityUrl}/sandbox`;
  const own = await onboard(context, { resourceServer: true });
  const token = await requestToken(authorityUrl, await onboard(context));
  if (token === undefined) throw new Error('a live client was given no token');
  const programs = await onboardMany(context, bench.suspensions);
  return await withApis({ issuer, own, placement: bench.placement }, async (apis) => {
    const guards = await measureGuards(bench, apis, token);
    console.error('checks a second');
    const checks = await measureChecks(bench, { issuer, own, token });
    console.error(`${bench.suspensions} suspensions`);
    const refusals = await refuseEach({ context, authorityUrl, apis }, programs);
    return { ...guards, checks, refusals };
  });
}

/** Each framework's handler, open and guarded, all in turn. */
async function measureGuards(
  bench: Bench,
  apis: readonly Api[],
  token: string,
): Promise<Pick<Report, 'guards' | 'processor' | 'isBlurred' | 'askedShare'>> {
  console.error('guards');
  const runners = apis.flatMap(({ name, url, pid }) => {
    const asked = { headers: { Authorization: `Bearer ${token}` } };
    const open = { url: `${url}/open`, ...asked };
    const guarded = { url: `${url}/guarded`, ...asked };
    const pids = [pid];
    return [
      { subject: { name, beside: name }, target: open, pids },
      { subject: { name: `${name}, guarded`, beside: name }, target: guarded, pids },
    ];
  });
  const before = await Promise.all(apis.map((api) => askedUntilRemembered(api, token)));
  const ran = await measureInTurn(runners, bench);
  const after = await Promise.all(apis.map((api) => api.questions()));
  const guarded = ran.filter((_, at) => at % 2 === 1);
  const pairs = guarded.map((series, at) => [ran[at * 2], series] as [Ran, Ran]);
  return {
    guards: pairs.flatMap((pair) => figuresOf(pair)),
    processor: Object.fromEntries(
      pairs.map(([open, guarded]) => [open.subject.name, processorRatio(open, guarded)]),
    ),
    isBlurred: pairs.some(([open]) => isBlurred(open)),
    askedShare: (sum(after) - sum(before)) / sum(guarded.map(({ answers }) => answers)),
  };
}

/** Calls an API until an answer needs no question; returns how many it has asked. */
async function askedUntilRemembered({ name, url, questions }: Api, token: string): Promise<number> {
  const deadlineMs = performance.now() + REMEMBERED_MS_MAX;
  const headers = { Authorization: `Bearer ${token}` };
  while (performance.now() < deadlineMs) {
    const before = await questions();
    const answer = await fetch(`${url}/guarded`, { headers });
    await answer.text();
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.status} to a good token`);
    if ((await questions()) === before) return before;
  }
  throw new Error(`${name} remembers nothing`);
}

async function measureChecks(
  { rounds, seconds }: Bench,
  at: { readonly issuer: string; readonly own: Onboarded; readonly token: string },
): Promise<Rates> {
  const { issuer, own, token } = at;
  const { clientId, clientSecret } = own;
  const onOutage = ({ message }: { message: string }): void => console.error(message);
  const asked = { issuer, clientId, clientSecret, onOutage };
  const remembering = createVerifier({ ...asked, revocations: true });
  const asking = createVerifier(asked);
  const rate = (verifier: Verifier) => checksPerSecond(verifier, { token, seconds });
  try {
    const measured: { readonly remembering: number; readonly asking: number }[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const both = { remembering: await rate(remembering), asking: await rate(asking) };
      // The first is the warm-up.
      if (round > 0) measured.push(both);
    }
    return {
      remembering: spreadOf(measured.map((both) => both.remembering)),
      asking: spreadOf(measured.map((both) => both.asking)),
      ratio: spreadOf(measured.map((both) => both.remembering / both.asking)),
    };
  } finally {
    remembering.close();
    // Until it may decide no more, whatever it remembers: receipts wait for it as long.
    await sleep(SUBSCRIBER_LEASE_MS * LEASE_MARGIN);
  }
}

function complaintsOf({ refusals, askedShare }: Report): readonly string[] {
  const { accepted, judged, receiptToRefusalMs, toReceiptMs } = refusals;
  const unrefused = toReceiptMs.length - receiptToRefusalMs.length;
  return [
    ...(accepted === 0 ? [] : [`${accepted} of ${judged} requests were accepted after a receipt`]),
    ...(unrefused === 0 ? [] : [`${unrefused} suspended programs were never refused`]),
    ...(askedShare <= ASKED_SHARE_MAX ? [] : [`guards asked for ${askedShare} of all requests`]),
  ];
}

function print(bench: Bench, report: Report): void {
  const machine = describeMachine(HERE);
  const { guards, checks, refusals } = report;
  const { rounds, seconds, placement } = bench;
  console.log(`${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections; ${placement.words}`);
  console.log(`${machine.processor}, ${machine.cores} cores, ${machine.system}`);
  console.log(`Node ${machine.node}, commit ${machine.commit}\n`);
  console.log(tableOf(guards));
  const share = (report.askedShare * 100).toFixed(3);
  console.log(`\nBare: the same handler without the guard. Asked about: ${share} % of requests.`);
  for (const [name, ratio] of Object.entries(report.processor)) {
    const told = ratio === undefined ? 'not told by this system' : ratioOf(ratio);
    console.log(`${name}: processor time, guarded to open: ${told}`);
  }
  if (report.isBlurred) console.log('The machine was busy with other work: measure again.');
  console.log(`\nchecks a second that remember: ${rateOf(checks.remembering)}`);
  console.log(`checks a second that ask:      ${rateOf(checks.asking)}`);
  const { median, min, max } = checks.ratio;
  console.log(
    `remembering to asking: ${[median, min, max].map((it) => it.toFixed(0)).join(' ')}\n`,
  );
  console.log(LATENCY_HEAD);
  console.log(latencyLine('suspension to receipt', latenciesOf(refusals.toReceiptMs)));
  console.log(latencyLine('suspension to first refusal', latenciesOf(refusals.toRefusalMs)));
  console.log(latencyLine('receipt to refusal', latenciesOf(refusals.receiptToRefusalMs)));
  const { judged, accepted, unavailable } = refusals;
  console.log(`\nrequests after a receipt: ${judged}; accepted: ${accepted}; 503: ${unavailable}`);
}

function rateOf({ median, min, max }: Spread): string {
  const [middle, least, most] = [median, min, max].map((it) => Math.round(it).toLocaleString('en'));
  return `${middle} (${least}–${most})`;
}

function ratioOf({ median, min, max }: Spread): string {
  const [middle, least, most] = [median, min, max].map((it) => it.toFixed(2));
  return `${middle} (${least}–${most})`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
