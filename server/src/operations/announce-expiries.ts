/** Puts on record that secrets are about to end, 30, 14, 7 and 1 days before: once each, whoever asks and however often. */

import type { ExpiringSecret } from '../ports/model.ts';
import type { OperationContext } from './context.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days before the end, the most first. */
const NOTICE_DAYS = [30, 14, 7, 1] as const;
/** Secrets read at a time. */
const PAGE_MAX = 500;

type Context = Pick<OperationContext, 'directory' | 'changes' | 'clock' | 'actor'>;

/**
 * Announces what is due and returns how many announcements that were. After days without a running server only the nearest
 * threshold is announced. A secret that has a successor and has not been used since is let go in silence.
 */
export async function announceExpiries(context: Context): Promise<number> {
  const { directory, changes, clock, actor } = context;
  const nowMs = clock.wallMs();
  const range = { fromMs: nowMs, untilMs: nowMs + NOTICE_DAYS[0] * DAY_MS };
  let announced = 0;
  for (let after = 0; ; ) {
    const page = await directory.expiringSecrets({ ...range, after, limit: PAGE_MAX });
    for (const secret of page) {
      const days = noticeOf(secret, nowMs);
      if (days === undefined) continue;
      const { secretId, expiresAtMs } = secret;
      const change = { kind: 'secret.expiring', secretId, expiresAtMs, days } as const;
      const { changed } = await changes.commit({ change, actor, atMs: nowMs });
      if (changed) announced += 1;
    }
    if (page.length < PAGE_MAX) return announced;
    after = page.at(-1)?.ordinal ?? 0;
  }
}

/** The threshold that the secret has reached and that was not announced yet. */
function noticeOf(secret: ExpiringSecret, nowMs: number): number | undefined {
  const { expiresAtMs, replacedAtMs, lastUsedAtMs = 0, notifiedDays } = secret;
  if (replacedAtMs !== undefined && lastUsedAtMs <= replacedAtMs) return undefined;
  const days = NOTICE_DAYS.findLast((threshold) => expiresAtMs - nowMs <= threshold * DAY_MS);
  const isTold = days === undefined || (notifiedDays !== undefined && notifiedDays <= days);
  return isTold ? undefined : days;
}
