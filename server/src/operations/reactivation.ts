/** What a reactivation ends: the suspensions that whoever asks can know of, never one that is opened while they ask. */

import type { Reactivation } from '../ports/store.ts';
import { ordinalOfSuspension, type SuspensionRecord } from '../ports/suspensions.ts';
import type { Done, OperationContext } from './context.ts';
import { invalid } from './input.ts';

type Owner = { readonly programId: string } | { readonly clientId: string };

export type Reactivated = Done & {
  /** Suspensions that are still open: with one, it does not work again. */
  readonly remaining: readonly SuspensionRecord[];
};

/** What is open now, as the terms of a reactivation. */
export async function reactivation(
  context: Pick<OperationContext, 'directory'>,
  owner: Owner,
  suspensionId: string | undefined,
): Promise<Reactivation> {
  const suspension = suspensionId === undefined ? undefined : requireSuspensionId(suspensionId);
  const open = await stillSuspended(context, owner);
  return { known: open.map(({ ordinal }) => ordinal), suspension };
}

export function stillSuspended(
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
