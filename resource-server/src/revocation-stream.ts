/**
 * Follows the authority's changes over one stream at a time: tells what to forget, and for how long remembered answers count. Knows no
 * answer. Whatever goes wrong ends the stream, and the lease then runs out by itself.
 */

import { eventsOf, type ServerEvent } from './event-stream.ts';
import type { Forget } from './remembered.ts';
import type { Secrets } from './secret-source.ts';
import { newStreamLease, type Reading } from './stream-lease.ts';

export type RevocationStream = {
  /** Whether answers of before may be given now. Ask in the same synchronous step as the answer is taken. */
  mayDecide(): boolean;
  /** Names the last change that was taken in. */
  position(): string | undefined;
  close(): void;
};

export type StreamOptions = {
  readonly issuer: string;
  readonly clientId: string;
  readonly secrets: Secrets;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Reading;
  /** At least 0, below 1: services that lost one node do not come back all at once. */
  readonly random: () => number;
  readonly forget: (what: Forget) => void;
  readonly onTrouble: (message: string) => void;
};

const PING_INTERVAL_MS = 1_000;
/** A stream whose pings go unanswered for so long is given up. */
const SILENCE_MS_MAX = 5_000;
/** How long the authority may take to begin a stream. */
const OPEN_MS_MAX = 5_000;
const PING_TIMEOUT_MS = 2_000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 10_000;

/** Begins to follow, and goes on until it is closed. */
export function followRevocations(options: StreamOptions): RevocationStream {
  const { forget, now } = options;
  const lease = newStreamLease();
  const closing = new AbortController();
  let position: string | undefined;

  const run = async (): Promise<void> => {
    let retryMs = RETRY_MS_MIN;
    while (!closing.signal.aborted) {
      const openedMs = now().monotonicMs;
      try {
        await followOnce();
      } catch (error) {
        if (!closing.signal.aborted) options.onTrouble(troubleOf(error));
      }
      const lastedMs = now().monotonicMs - openedMs;
      retryMs = lastedMs > RETRY_MS_MAX ? RETRY_MS_MIN : Math.min(retryMs * 2, RETRY_MS_MAX);
      await sleep(retryMs * (0.5 + options.random() / 2), closing.signal);
    }
  };

  const followOnce = async (): Promise<void> => {
    const stop = new AbortController();
    const end = (): void => stop.abort();
    closing.signal.addEventListener('abort', end, { once: true });
    let pinging: ReturnType<typeof setInterval> | undefined;
    const opening = setTimeout(end, OPEN_MS_MAX);
    try {
      const { body, authorization } = await open(options, { position, signal: stop.signal });
      clearTimeout(opening);
      const startedMs = now().monotonicMs;
      let subscription: string | undefined;
      let confirmed = 0;
      const ping = (): void => {
        const heardMs = Math.max(lease.answeredMs ?? 0, startedMs);
        if (now().monotonicMs - heardMs > SILENCE_MS_MAX) end();
        else if (subscription !== undefined) {
          const number = lease.pinged(now());
          const form = { subscription, ping: `${number}`, confirmed: `${confirmed}` };
          sendPing(options, { form, authorization, signal: stop.signal, end });
        }
      };
      pinging = setInterval(ping, PING_INTERVAL_MS);
      for await (const event of eventsOf(body)) {
        const told = read(event);
        if (told.is === 'heartbeat') lease.heard(told.ping, told.leaseMs);
        if (told.is === 'other' || told.is === 'heartbeat') continue;
        if (told.is === 'hello') {
          lease.end();
          subscription = told.subscription;
        }
        if (told.forget !== undefined) forget(told.forget);
        position = told.position;
        confirmed = told.sequence;
        // At once: somebody waits until everybody has forgotten it.
        if (told.is === 'hello' || told.forget !== undefined) ping();
      }
    } finally {
      clearTimeout(opening);
      clearInterval(pinging);
      closing.signal.removeEventListener('abort', end);
      end();
    }
  };

  void run();
  return {
    mayDecide: () => !closing.signal.aborted && lease.isHeldAt(now()),
    position: () => position,
    close: () => closing.abort(),
  };
}

type Told =
  | {
      readonly is: 'hello' | 'change';
      readonly subscription: string;
      readonly sequence: number;
      readonly position: string;
      readonly forget: Forget | undefined;
    }
  | { readonly is: 'heartbeat'; readonly ping: number; readonly leaseMs: number }
  | { readonly is: 'other' };

/** Throws for what cannot be read: a change that is not understood must not be passed over. */
function read({ event, id, data }: ServerEvent): Told {
  const told = JSON.parse(data) as Readonly<Record<string, unknown>>;
  if (event === 'heartbeat') {
    return { is: event, ping: Number(told['ping']), leaseMs: Number(told['lease_ms']) };
  }
  if (event !== 'hello' && event !== 'change') return { is: 'other' };
  const { sequence, subscription = '' } = told;
  if (id === undefined || !Number.isSafeInteger(sequence)) throw new Error('an event is no event');
  const forget = told['reset'] === true ? { all: true } : (told['forget'] as Forget | undefined);
  const base = { sequence: Number(sequence), position: id, forget };
  return { is: event, subscription: String(subscription), ...base };
}

async function open(
  { issuer, clientId, secrets, fetch }: StreamOptions,
  by: { readonly position: string | undefined; readonly signal: AbortSignal },
): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly authorization: string }> {
  const tried = await secrets.read();
  for (const secret of tried) {
    const authorization = `Basic ${btoa(`${clientId}:${secret}`)}`;
    const response = await fetch(`${issuer}/revocations`, {
      headers: {
        Accept: 'text/event-stream',
        'X-Gateway-Authorization': authorization,
        ...(by.position === undefined ? {} : { 'Last-Event-ID': by.position }),
      },
      redirect: 'manual',
      signal: by.signal,
    });
    if (response.status === 200 && response.body !== null) {
      secrets.worked(secret);
      return { body: response.body as unknown as AsyncIterable<Uint8Array>, authorization };
    }
    await response.body?.cancel();
    if (response.status !== 401) throw new Error(`the authority answered ${response.status}`);
  }
  if (tried.length > 0) secrets.refused();
  throw new Error("the authority refuses this API's own credentials");
}

/** Its answer is in the stream. A node that does not know the subscription is not the one that the stream comes from, or has ended it. */
function sendPing(
  { issuer, fetch }: StreamOptions,
  ping: {
    readonly form: Readonly<Record<string, string>>;
    readonly authorization: string;
    readonly signal: AbortSignal;
    readonly end: () => void;
  },
): void {
  fetch(`${issuer}/revocations/ping`, {
    method: 'POST',
    headers: { 'X-Gateway-Authorization': ping.authorization },
    body: new URLSearchParams(ping.form),
    redirect: 'manual',
    signal: AbortSignal.any([ping.signal, AbortSignal.timeout(PING_TIMEOUT_MS)]),
  })
    .then(async (response) => {
      await response.body?.cancel();
      if (response.status === 404) ping.end();
    })
    // Unanswered pings are noticed where heartbeats are missed.
    .catch(() => {});
}

function troubleOf(error: unknown): string {
  return error instanceof Error && error.message.startsWith('the authority ')
    ? error.message
    : 'the stream of revocations broke off';
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
