/** Hears of changes as they are committed: LISTEN on a connection of its own. A hint only; where it cannot be had, polling does. */

import pg from 'pg';
import type { Randomness } from '../../ports/clock.ts';
import { clientConfigOf } from './connections.ts';

const CONNECT_MS_MAX = 5_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

/** Calls `wake` after every notification, until the returned function is called. */
export function watchNotifications(
  options: { readonly databaseUrl: string; readonly randomness: Randomness },
  wake: () => void,
): () => void {
  let stopped = false;
  let failures = 0;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const listen = async (): Promise<void> => {
    const config = clientConfigOf(options.databaseUrl);
    const mine = new pg.Client({ ...config, connectionTimeoutMillis: CONNECT_MS_MAX });
    client = mine;
    mine.on('notification', wake);
    mine.on('error', () => {});
    mine.once('end', again);
    await mine.connect();
    await mine.query('listen countersign');
    failures = 0;
  };

  const again = (): void => {
    if (stopped) return;
    const fullMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures);
    failures += 1;
    const jitter = (options.randomness.bytes(1)[0] ?? 0) / 255;
    clearTimeout(timer);
    timer = setTimeout(start, fullMs * (0.5 + jitter / 2));
    timer.unref();
  };

  const start = (): void => {
    listen().catch(again);
  };

  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    client?.end().catch(() => {});
  };
}
