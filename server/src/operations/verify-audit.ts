/** Walks the audit trail of a store from its first line and finds the first that is not as it was written. Changes nothing. */

import type { Checkpoint } from '../ports/checkpoints.ts';
import { newWitnessStand, type WitnessStand } from './checkpoint-witnesses.ts';
import type { OperationContext } from './context.ts';
import { type Broken, broken, newTrailWalk, type TrailWalk } from './trail-walk.ts';

const PAGE_LINES = 1_000;

export type AuditVerdict =
  | {
      readonly intact: true;
      readonly lines: number;
      /** Of the last line: compared with a copy that is kept elsewhere, it proves the whole trail. */
      readonly headHash: string;
      /** The last line that a signed checkpoint vouches for. */
      readonly signedTo: number;
    }
  | Broken;

type Context = Pick<OperationContext, 'audit' | 'checkpoints'>;

/** What was kept outside the store: a store that was rewritten whole agrees with itself. */
export type KeptOutside = {
  readonly checkpoints?: readonly Checkpoint[];
  readonly publicKeys?: ReadonlyMap<string, string>;
};

/** Verifies the whole trail, against the store's own checkpoints too, and those that are held outside. */
export async function verifyAudit(context: Context, kept: KeptOutside = {}): Promise<AuditVerdict> {
  const { audit } = context;
  const stand = newWitnessStand(await keysOf(context, kept));
  // Lines may be appended meanwhile: the trail must reach the head of before, and the head of after must reach it.
  const before = await audit.head();
  const called = await callWitnesses(context, stand, kept);
  if (called !== undefined) return called;
  const recorded = { ...before, who: 'the recorded end of the trail' };
  const known = stand.witnesses.get(before.sequence) ?? [];
  const witnesses = new Map(stand.witnesses);
  if (before.sequence > 0) witnesses.set(before.sequence, [...known, recorded]);
  const walk = newTrailWalk({ sequence: 0, hash: '' }, witnesses);
  const problem = await walkAll(context, walk);
  if (problem !== undefined) return problem;
  const after = await audit.head();
  const { sequence, hash } = walk.last();
  if (after.sequence < sequence) {
    return broken(after.sequence + 1, 'the line stands behind the recorded end of the trail');
  }
  return { intact: true, lines: sequence, headHash: hash, signedTo: newestLine(stand) };
}

function newestLine({ witnesses }: WitnessStand): number {
  let newest = 0;
  for (const line of witnesses.keys()) newest = Math.max(newest, line);
  return newest;
}

async function keysOf(
  { checkpoints }: Context,
  { publicKeys }: KeptOutside,
): Promise<ReadonlyMap<string, string>> {
  if (publicKeys !== undefined && publicKeys.size > 0) return publicKeys;
  const keys = await checkpoints.signingKeys();
  return new Map(keys.map(({ keyId, publicKey }) => [keyId, publicKey]));
}

async function callWitnesses(
  { checkpoints }: Context,
  stand: WitnessStand,
  kept: KeptOutside,
): Promise<Broken | undefined> {
  for (const checkpoint of kept.checkpoints ?? []) {
    const problem = stand.call(checkpoint, 'the given');
    if (problem !== undefined) return problem;
  }
  let after = 0;
  for (;;) {
    const page = await checkpoints.list({ after, limit: PAGE_LINES });
    if (page.length === 0) return undefined;
    for (const checkpoint of page) {
      const problem = stand.call(checkpoint, 'the store’s');
      if (problem !== undefined) return problem;
      after = checkpoint.sequence;
    }
  }
}

async function walkAll({ audit }: Context, walk: TrailWalk): Promise<Broken | undefined> {
  for (;;) {
    const page = await audit.chain({ after: walk.last().sequence, limit: PAGE_LINES });
    if (page.length === 0) return walk.end();
    for (const link of page) {
      const problem = walk.take(link);
      if (problem !== undefined) return problem;
    }
  }
}
