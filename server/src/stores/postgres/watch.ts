/** Hears of changes as they are committed: LISTEN on a connection of its own. A hint only; where it cannot be had, polling does. */

import { Socket } from 'node:net';
import type pg from 'pg';
import type { Randomness } from '../../ports/clock.ts';
import { clientConfigOf } from './connections.ts';
import { driver } from './driver.ts';

const CONNECT_MS_MAX = 5_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** Nothing is ever sent on it otherwise: a firewall that forgot it, or a machine that is gone, would go unnoticed. */
const ALIVE_EVERY_MS = 15_000;
const ALIVE_MS_MAX = 5_000;
/** Then another takes its place, so that none stays with an old primary to which the name leads no more. */
const LIFE_MS_MAX = 300_000;

type Options = {
  readonly databaseUrl: string;
  readonly randomness: Randomness;
  readonly aliveEveryMs?: number;
  readonly lifeMsMax?: number;
};

/** Calls `wake` after every notification, until the returned function is called. */
export function watchNotifications(options: Options, wake: () => void): () => void {
  const { aliveEveryMs = ALIVE_EVERY_MS, lifeMsMax = LIFE_MS_MAX } = options;
  let stopped = false;
  let failures = 0;
  let end = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  const jittered = (ms: number): number =>
    ms * (0.5 + (options.randomness.bytes(1)[0] ?? 0) / 255 / 2);

  const listen = async (): Promise<void> => {
    const socket = new Socket();
    const { Client } = driver();
    const client = new Client({
      ...clientConfigOf(options.databaseUrl),
      connectionTimeoutMillis: CONNECT_MS_MAX,
      stream: () => socket,
    });
    let beat: NodeJS.Timeout | undefined;
    // Without a word: whoever does not answer would not hear a farewell either.
    end = () => socket.destroy();
    client.on('notification', wake);
    client.on('error', () => {});
    client.once('end', () => {
      clearTimeout(beat);
      again();
    });
    await client.connect();
    await client.query('listen countersign');
    failures = 0;
    const bornMs = performance.now();
    const lifeMs = jittered(lifeMsMax);
    const askAgain = (): void => {
      beat = setTimeout(() => {
        if (performance.now() - bornMs > lifeMs) socket.destroy();
        else void isAlive(client).then((alive) => (alive ? askAgain() : socket.destroy()));
      }, aliveEveryMs);
      beat.unref();
    };
    askAgain();
  };

  const again = (): void => {
    if (stopped) return;
    const fullMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(start, jittered(fullMs));
    timer.unref();
  };

  const start = (): void => {
    listen().catch(again);
  };

  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    end();
  };
}

async function isAlive(client: pg.Client): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ALIVE_MS_MAX);
  const answered = client.query('select').then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
