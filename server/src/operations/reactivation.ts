/** What a reactivation ends: the suspensions that whoever asks can know of, never one that is opened while they ask. */

import type { Reactivation } from '../ports/approvals.ts';
import { ordinalOfSuspension, type SuspensionRecord } from '../ports/suspensions.ts';
import { type DoneOrAsked, doOrAsk, type Terms } from './approvals.ts';
import type { OperationContext } from './context.ts';
import { invalid } from './input.ts';

type Owner = { readonly programId: string } | { readonly clientId: string };

export type Reactivated = DoneOrAsked & {
  /** Suspensions that are still open: with one, it does not work again. */
  readonly remaining: readonly SuspensionRecord[];
};

export type ReactivationTerms = Terms & {
  /** End this suspension alone. */
  readonly suspensionId?: string | undefined;
};

/** Ends what is open now, or one of it, or asks for the approval of that. Throws `ChangeRefused`. */
export async function reactivate(
  context: OperationContext,
  owner: Owner,
  terms: ReactivationTerms,
): Promise<Reactivated> {
  const ends = await reactivation(context, owner, terms.suspensionId);
  const change =
    'programId' in owner
      ? ({ kind: 'program.reactivate', ...owner, ...ends } as const)
      : ({ kind: 'client.reactivate', ...owner, ...ends } as const);
  const done = await doOrAsk(context, change, terms);
  return { ...done, remaining: await stillSuspended(context, owner) };
}

async function reactivation(
  context: Pick<OperationContext, 'directory'>,
  owner: Owner,
  suspensionId: string | undefined,
): Promise<Reactivation> {
  const suspension = suspensionId === undefined ? undefined : requireSuspensionId(suspensionId);
  const open = await stillSuspended(context, owner);
  return { known: open.map(({ ordinal }) => ordinal), suspension };
}

function stillSuspended(
  { directory }: Pick<OperationContext, 'directory'>,
  owner: Owner,
): Promise<readonly SuspensionRecord[]> {
  return directory.suspensions({ ...owner, openOnly: true });
}

function requireSuspensionId(id: string): number {
  const ordinal = ordinalOfSuspension(id);
  if (ordinal !== undefined) return ordinal;
  throw invalid('--suspension must be the id of a suspension, such as suspension_7');
}
