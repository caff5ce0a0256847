/**
 * Remembers when each secret last authenticated its client, and from where, and writes that down in batches, at most once a minute a
 * secret. No answer waits for it and no decision depends on it: what is lost with a crash is a minute of it, and the journal has the rest.
 */

import type { Clock } from '../ports/clock.ts';
import type { SecretUse } from '../ports/secret-upkeep.ts';
import type { Changes } from '../ports/store.ts';

const WRITE_INTERVAL_MS = 60_000;
const LOOK_INTERVAL_MS = 2_000;
/** Secrets remembered at a time, some 150 bytes each: as many as clients are cached. */
const SECRETS_MAX = 20_000;
/** Secrets a write, so that none holds up a change for more than a few milliseconds. */
const BATCH_MAX = 500;

export type SecretUses = {
  /** Told of every successful authentication: a look-up and two assignments. */
  used(secret: number, address: string, atMs: number): void;
  /** Writes what there is, and nothing after it. Never rejects. */
  stop(): Promise<void>;
};

type Use = { atMs: number; address: string; writtenAtMs: number; dueAtMs: number };

export function newSecretUses(deps: {
  readonly changes: Pick<Changes, 'noteUses'>;
  readonly clock: Clock;
}): SecretUses {
  const { changes, clock } = deps;
  const uses = new Map<number, Use>();
  const stopped = new AbortController();

  const due = (isLast: boolean): SecretUse[] => {
    const nowMs = clock.monotonicMs();
    const found: SecretUse[] = [];
    for (const [secret, { atMs, address, writtenAtMs, dueAtMs }] of uses) {
      if (atMs === writtenAtMs || (dueAtMs > nowMs && !isLast)) continue;
      found.push({ secret, atMs, address });
      if (found.length === BATCH_MAX) break;
    }
    return found;
  };

  const writeDue = async (isLast: boolean): Promise<void> => {
    for (;;) {
      const batch = due(isLast);
      if (batch.length === 0) return;
      await changes.noteUses(batch);
      for (const { secret, atMs } of batch) {
        const use = uses.get(secret);
        if (use === undefined) continue;
        use.writtenAtMs = atMs;
        use.dueAtMs = clock.monotonicMs() + WRITE_INTERVAL_MS;
      }
    }
  };

  /** The one that was first used longest ago goes; one more write of it is all that this may cost. */
  const makeRoom = (): void => {
    for (const secret of uses.keys()) {
      if (uses.size < SECRETS_MAX) return;
      uses.delete(secret);
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(LOOK_INTERVAL_MS, stopped.signal);
      // What could not be written is due again.
      if (!stopped.signal.aborted) await writeDue(false).catch(() => {});
    }
  };
  const running = run();

  return {
    used: (secret, address, atMs) => {
      const use = uses.get(secret);
      if (use !== undefined) {
        use.atMs = atMs;
        use.address = address;
        return;
      }
      makeRoom();
      uses.set(secret, { atMs, address, writtenAtMs: 0, dueAtMs: 0 });
    },
    stop: async () => {
      stopped.abort();
      await running;
      await writeDue(true).catch(() => {});
    },
  };
}
