/**
 * Sends one request at a fixed rate over kept connections and tells how long each took from when it was *meant* to be sent, so that
 * a server that stalls cannot hide the requests that would have come meanwhile. Without a rate: as fast as answers come back.
 * A process of its own: the plan comes by standard input, since it may hold secrets; the result leaves as JSON.
 */

import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { requestOf, type Target } from './target.ts';

export type Plan = {
  readonly target: Target;
  readonly seconds: number;
  readonly connections: number;
  /** Undefined: no schedule. */
  readonly ratePerSecond?: number;
};

export type Paced = {
  readonly answers: number;
  readonly seconds: number;
  /** From the intended time to the answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was: 99 % of requests with a free connection left within this time. */
  readonly lateP99Ms: number;
};

/** Past this many times the planned duration the rate is more than the server can do, and there is no result. */
const OVERTIME = 3;
const REQUESTS_MAX = 50_000_000;

type Lane = { readonly socket: Socket; intendedMs: number; received: string };

type Run = {
  readonly plan: Plan;
  readonly request: string;
  readonly free: Lane[];
  readonly latenciesMs: number[];
  readonly lateMs: number[];
  readonly startMs: number;
  sent: number;
  failure: string | undefined;
};

/** Sends what is due on the connections that are free. */
function sendDue(run: Run): void {
  const { plan, free, startMs } = run;
  const rate = plan.ratePerSecond;
  const nowMs = performance.now();
  while (free.length > 0 && run.sent < wanted(plan)) {
    const intendedMs = rate === undefined ? nowMs : startMs + (run.sent * 1_000) / rate;
    if (intendedMs > nowMs || nowMs - startMs > plan.seconds * 1_000 * overtime(plan)) return;
    const lane = free.pop();
    if (lane === undefined) return;
    lane.intendedMs = intendedMs;
    run.lateMs.push(nowMs - intendedMs);
    run.sent += 1;
    lane.socket.write(run.request, 'latin1');
  }
}

function wanted({ ratePerSecond, seconds }: Plan): number {
  return ratePerSecond === undefined ? REQUESTS_MAX : Math.floor(ratePerSecond * seconds);
}

const overtime = ({ ratePerSecond }: Plan): number => (ratePerSecond === undefined ? 1 : OVERTIME);

/** One answer at a time comes over a connection; whole when its stated length is there. */
function receive(run: Run, lane: Lane, chunk: string): void {
  lane.received += chunk;
  const end = lane.received.indexOf('\r\n\r\n');
  if (end === -1) return;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(lane.received) ?? [];
  if (length === undefined || !lane.received.startsWith('HTTP/1.1 200')) {
    run.failure ??= `an answer was not a good one: ${lane.received.slice(0, 100)}`;
    return;
  }
  if (lane.received.length < end + 4 + Number(length)) return;
  lane.received = '';
  run.latenciesMs.push(performance.now() - lane.intendedMs);
  run.free.push(lane);
  sendDue(run);
}

async function open(plan: Plan, run: () => Run): Promise<Lane[]> {
  const { hostname, port } = new URL(plan.target.url);
  return await Promise.all(
    Array.from({ length: plan.connections }, async () => {
      const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
      });
      const lane: Lane = { socket, intendedMs: 0, received: '' };
      socket.on('data', (chunk: string) => receive(run(), lane, chunk));
      socket.on('close', () => {
        run().failure ??= 'a connection was closed';
      });
      return lane;
    }),
  );
}

async function follow(plan: Plan): Promise<Paced> {
  const lanes = await open(plan, () => run);
  const run: Run = {
    plan,
    request: requestOf(plan.target),
    free: [...lanes],
    latenciesMs: [],
    lateMs: [],
    startMs: performance.now(),
    sent: 0,
    failure: undefined,
  };
  const endMs = run.startMs + plan.seconds * 1_000;
  const lastMs = run.startMs + plan.seconds * 1_000 * (OVERTIME + 1);
  for (;;) {
    // Not a timer: those wake once a millisecond, and at these rates dozens are due in one.
    await new Promise((resolve) => setImmediate(resolve));
    sendDue(run);
    if (run.failure !== undefined) throw new Error(run.failure);
    const nowMs = performance.now();
    const isSent = plan.ratePerSecond === undefined ? nowMs > endMs : run.sent === wanted(plan);
    if (isSent && run.free.length === lanes.length) break;
    if (nowMs > lastMs)
      throw new Error(`${Math.round(plan.ratePerSecond ?? 0)}/s is more than can be answered`);
  }
  const seconds = (performance.now() - run.startMs) / 1_000;
  for (const { socket } of lanes) socket.removeAllListeners('close').destroy();
  return { ...summaryOf(run), seconds };
}

function summaryOf({ latenciesMs, lateMs }: Run): Omit<Paced, 'seconds'> {
  const latencies = Float64Array.from(latenciesMs).sort();
  const late = Float64Array.from(lateMs).sort();
  const at = (sorted: Float64Array, share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return {
    answers: latencies.length,
    p50Ms: at(latencies, 0.5),
    p99Ms: at(latencies, 0.99),
    p999Ms: at(latencies, 0.999),
    maxMs: at(latencies, 1),
    lateP99Ms: at(late, 0.99),
  };
}

if (import.meta.main) {
  try {
    const plan = (await json(process.stdin)) as Plan;
    process.stdout.write(JSON.stringify(await follow(plan)));
  } catch (error) {
    console.error((error as Error).message);
    // Connections that are still open must not hold it.
    process.exit(1);
  }
}
