/**
 * Many callers at once, as a process of its own: each sends the next request when it has its answer, and waits for `Retry-After` when
 * it is told to, unless it is deaf. It reads what to send from standard input, since that holds secrets, and prints one JSON document.
 */

import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Latencies, latenciesOf } from './latencies.ts';
import { requestOf, type Target } from './target.ts';

export type CrowdOrder = {
  /** All of one server, asked in turn. */
  readonly targets: readonly Target[];
  readonly callers: number;
  readonly seconds: number;
  /** Ignores `Retry-After`. */
  readonly isDeaf?: boolean;
  /** Between an answer and the caller's next request. */
  readonly pauseMs?: number;
  /** Statuses that are answers, as 401 to a wrong secret is; left out: 200 alone. */
  readonly goodStatuses?: readonly number[];
};

export type CrowdReport = {
  readonly seconds: number;
  /** Answers that came in these seconds. Who is still waiting at their end is heard out, and does not count. */
  readonly good: number;
  /** 503 and 429. */
  readonly toldToWait: number;
  /** Of these, without saying how long. */
  readonly withoutRetryAfter: number;
  /** Any other answer, by its status. */
  readonly other: Readonly<Record<string, number>>;
  /** Connections that broke, or were refused. */
  readonly broken: number;
  readonly goodLatencies: Latencies | undefined;
  readonly waitLatencies: Latencies | undefined;
};

/** Latencies kept of each kind; once there are more, every new one replaces an old one. */
const SAMPLES_MAX = 100_000;
const RECONNECT_MS = 100;

type Samples = { readonly kept: number[]; seen: number };

function keep(samples: Samples, ms: number): void {
  samples.kept[samples.seen % SAMPLES_MAX] = ms;
  samples.seen += 1;
}

/** Runs the callers until their time is over. */
export async function runCrowd(order: CrowdOrder): Promise<CrowdReport> {
  const { goodStatuses = [200], seconds, isDeaf = false, pauseMs = 0 } = order;
  const requests = order.targets.map((target) => Buffer.from(requestOf(target)));
  const good: Samples = { kept: [], seen: 0 };
  const waits: Samples = { kept: [], seen: 0 };
  const other: Record<string, number> = {};
  let withoutRetryAfter = 0;
  let broken = 0;
  let sent = 0;
  const endsMs = performance.now() + seconds * 1_000;

  /** How long to wait before the next request. */
  const count = ({ status, retryAfterMs }: Answer, tookMs: number): number => {
    const isInTime = performance.now() <= endsMs;
    if (goodStatuses.includes(status)) {
      if (isInTime) keep(good, tookMs);
    } else if (status === 503 || status === 429) {
      if (isInTime) keep(waits, tookMs);
      if (retryAfterMs === undefined) withoutRetryAfter += 1;
      return isDeaf ? pauseMs : (retryAfterMs ?? pauseMs);
    } else other[status] = (other[status] ?? 0) + 1;
    return pauseMs;
  };

  const call = async (): Promise<void> => {
    let connection: Connection | undefined;
    while (performance.now() < endsMs) {
      try {
        connection ??= await open(order);
        const sentMs = performance.now();
        const answer = await connection.exchange(requests[sent++ % requests.length] as Buffer);
        const waitMs = count(answer, performance.now() - sentMs);
        if (answer.isLast) connection = undefined;
        if (waitMs > 0) await sleep(Math.min(waitMs, Math.max(0, endsMs - performance.now())));
      } catch {
        broken += 1;
        connection = undefined;
        await sleep(RECONNECT_MS);
      }
    }
    connection?.socket.destroy();
  };
  await Promise.all(Array.from({ length: order.callers }, call));
  const latencies = ({ kept }: Samples) => (kept.length === 0 ? undefined : latenciesOf(kept));
  return {
    seconds,
    ...{ good: good.seen, toldToWait: waits.seen, withoutRetryAfter, other, broken },
    goodLatencies: latencies(good),
    waitLatencies: latencies(waits),
  };
}

type Answer = {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** Its connection ends with it. */
  readonly isLast: boolean;
};

type Connection = {
  readonly socket: Socket;
  readonly exchange: (request: Buffer) => Promise<Answer>;
};

function open({ targets: [target] }: CrowdOrder): Promise<Connection> {
  const { hostname: host, port } = new URL(target?.url ?? '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    let waiting: PromiseWithResolvers<Answer> | undefined;
    let received = '';
    socket.setEncoding('latin1');
    socket.once('connect', () =>
      resolve({
        socket,
        exchange: (request) => {
          waiting = Promise.withResolvers();
          socket.write(request);
          return waiting.promise;
        },
      }),
    );
    socket.on('data', (chunk: string) => {
      received += chunk;
      const answer = answerIn(received);
      if (answer === undefined) return;
      received = '';
      if (answer.isLast) socket.destroy();
      waiting?.resolve(answer);
      waiting = undefined;
    });
    const fail = (): void => {
      const why = new Error('the connection broke');
      reject(why);
      waiting?.reject(why);
    };
    socket.once('error', fail);
    socket.once('close', fail);
  });
}

/** The answer, once it is whole. */
function answerIn(received: string): Answer | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = received.slice(0, headEnd);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  if (received.length < headEnd + 4 + length) return undefined;
  const retryAfter = /^retry-after: (\d+)$/im.exec(head)?.[1];
  return {
    status: Number(head.slice(9, 12)),
    retryAfterMs: retryAfter === undefined ? undefined : Number(retryAfter) * 1_000,
    isLast: /^connection: close$/im.test(head),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const order = JSON.parse(await text(process.stdin)) as CrowdOrder;
  process.stdout.write(`${JSON.stringify(await runCrowd(order))}\n`);
}
