/** Clients that nobody uses any more: access that is forgotten is access that leaks. */

import type { DormantClient, DormantPage } from '../ports/model.ts';
import type { OperationContext } from './context.ts';
import { invalid } from './input.ts';
import { policyOf } from './policy-of.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Clients looked at at a time. */
const PAGE_MAX = 500;
const LISTED_MAX = 10_000;

type Context = Pick<OperationContext, 'directory' | 'changes' | 'clock' | 'actor'>;

/** Active clients unused for so many days, by the policy `dormant-days` unless told. Throws `ChangeRefused` when there is no such policy. */
export async function listDormant(
  context: Context,
  input: { readonly days?: number | undefined },
): Promise<readonly DormantClient[]> {
  const days = input.days ?? (await dormantDays(context));
  if (days === undefined) {
    throw invalid("--days must be given, as the policy dormant-days is off; '--days 90' would do");
  }
  const found: DormantClient[] = [];
  for await (const client of dormantFor(context, days)) {
    found.push(client);
    if (found.length >= LISTED_MAX) break;
  }
  return found;
}

/**
 * Reports, and by policy suspends, what has become dormant, until it is told to end. Each dormancy once; returns how many were new.
 */
export async function reportDormant(context: Context, end?: AbortSignal): Promise<number> {
  const { changes, clock, actor } = context;
  const days = await dormantDays(context);
  if (days === undefined) return 0;
  const suspends = (await policyOf(context, 'dormant-suspend')) === 'on';
  let reported = 0;
  for await (const { clientId, lastUsedAtMs, isReported } of dormantFor(context, days, end)) {
    const atMs = clock.wallMs();
    if (!isReported) {
      const used = lastUsedAtMs === undefined ? {} : { lastUsedAtMs };
      const change = { kind: 'client.dormant', clientId, days, ...used } as const;
      if ((await changes.commit({ change, actor, atMs })).changed) reported += 1;
    }
    if (suspends) {
      const reason = `dormant: not used for ${days} days`;
      await changes.commit({ change: { kind: 'client.suspend', clientId, reason }, actor, atMs });
    }
  }
  return reported;
}

async function dormantDays(context: Context): Promise<number | undefined> {
  const value = await policyOf(context, 'dormant-days');
  return value === 'off' ? undefined : Number(value);
}

async function* dormantFor(
  { directory, clock }: Context,
  days: number,
  end?: AbortSignal,
): AsyncGenerator<DormantClient> {
  const beforeMs = clock.wallMs() - days * DAY_MS;
  for (let after: number | undefined = 0; after !== undefined && !end?.aborted; ) {
    const page: DormantPage = await directory.dormantClients({ beforeMs, after, limit: PAGE_MAX });
    for (const client of page.found) {
      if (end?.aborted) return;
      yield client;
    }
    after = page.next;
    // A page is a few milliseconds of the event loop, and there may be thousands of them.
    await clock.sleep(1, end);
  }
}
