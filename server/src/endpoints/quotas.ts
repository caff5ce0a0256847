/**
 * Hourly token quotas of clients. Each node counts what it gives out and learns every few seconds what the others did, so a
 * client may overdraw by what it gets elsewhere in that time; nothing on a token's path waits for it. It never decides over a
 * token that exists.
 */

import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { TokenQuota } from '../ports/model.ts';
import type { Changes, QuotaUse } from '../ports/store.ts';

/** How often nodes tell each other. */
const SHARE_MS = 5_000;
/** Clients counted at a time, some 60 bytes each; beyond it the one longest unused is forgotten, and begins again at what the others gave. */
const CLIENTS_MAX = 100_000;
/** Clients told of at a time; more of them wait for the next turn. */
const SHARED_MAX = 1_000;
export const HOUR_MS = 3_600_000;

export type Quotas = {
  /** Counts one more token of a client. 'reached': it has had as many as it may this hour, and this one is not counted. */
  take(client: number, quota: TokenQuota, nowMs: number): 'within' | 'reached';
  /** Tells the other nodes what was given out since, and learns what they gave. Done every few seconds; never rejects. */
  share(): Promise<void>;
  stop(): Promise<void>;
};

type Count = { own: number; others: number; told: boolean; reported: boolean };

export function newQuotas(deps: {
  readonly node: string;
  readonly changes: Pick<Changes, 'shareQuota' | 'record'>;
  readonly clientIdOf: (ordinal: number) => string;
  readonly log: Log;
  readonly clock: Clock;
}): Quotas {
  const { node, changes, clientIdOf, log, clock } = deps;
  let counts = new Map<number, Count>();
  let hour = 0;
  const stop = new AbortController();

  const share = async (): Promise<void> => {
    const untold = [...counts].filter(([, count]) => !count.told).slice(0, SHARED_MAX);
    if (untold.length === 0) return;
    const uses = untold.map(([client, { own }]): QuotaUse => ({ client, tokens: own }));
    const asked = hour;
    for (const [, count] of untold) count.told = true;
    try {
      for (const { client, tokens } of await changes.shareQuota({ node, hour, uses })) {
        const count = counts.get(client);
        if (count !== undefined && hour === asked) count.others = tokens;
      }
    } catch (error) {
      for (const [, count] of untold) count.told = false;
      log.warn({ cause: (error as Error).message }, 'token quotas are counted by this node alone');
    }
  };

  const keepSharing = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await clock.sleep(SHARE_MS, stop.signal);
      if (!stop.signal.aborted) await share();
    }
  };
  const sharing = keepSharing();

  const report = (client: number, quota: TokenQuota, atMs: number): void => {
    const clientId = clientIdOf(client);
    const detail = { per_hour: quota.perHour, enforced: quota.enforced };
    const words = quota.enforced
      ? 'token quota reached: refused'
      : 'token quota reached: would be refused';
    log.warn({ client: clientId, ...detail }, words);
    changes
      .record({ actor: 'system:quota', atMs, action: 'quota.reached', target: clientId, detail })
      .catch((error: Error) => log.error({ cause: error.message }, 'a quota went unrecorded'));
  };

  return {
    take: (client, quota, atMs) => {
      const now = Math.floor(atMs / HOUR_MS);
      if (now !== hour) {
        hour = now;
        counts = new Map();
      }
      let count = counts.get(client);
      if (count === undefined) {
        if (counts.size >= CLIENTS_MAX) dropFirst(counts);
        count = { own: 0, others: 0, told: false, reported: false };
        counts.set(client, count);
      }
      const isReached = count.own + count.others >= quota.perHour;
      if (isReached && !count.reported) {
        count.reported = true;
        report(client, quota, atMs);
      }
      if (isReached && quota.enforced) return 'reached';
      count.own += 1;
      count.told = false;
      return 'within';
    },
    share,
    stop: () => {
      stop.abort();
      return sharing;
    },
  };
}

function dropFirst(counts: Map<number, Count>): void {
  for (const key of counts.keys()) {
    counts.delete(key);
    return;
  }
}
