/** Signs where the audit trail stands now, once the lines since the last checkpoint are seen to be sound. */

import { isSignedBy, keyIdOf, signCheckpoint } from '../credentials/checkpoint.ts';
import type { AuditHead } from '../ports/audit-trail.ts';
import type { Checkpoint } from '../ports/checkpoints.ts';
import { ChangeRefused, StoreUnavailable } from '../ports/store.ts';
import type { OperationContext } from './context.ts';
import { signingKeyName, signingKeyOf } from './signing-key.ts';
import { type Broken, broken, newTrailWalk } from './trail-walk.ts';

const PAGE_LINES = 1_000;

export type MadeCheckpoint = {
  readonly checkpoint: Checkpoint;
  /** Raw Ed25519, base64url: what others check the signature with. */
  readonly publicKey: string;
  /** False: nothing was written since the last one, which this is. */
  readonly made: boolean;
};

/** Throws `ChangeRefused` rather than vouch for a trail that was tampered with. */
export async function makeCheckpoint(context: OperationContext): Promise<MadeCheckpoint> {
  const { checkpoints, audit, clock, keyRing } = context;
  const { keyId, publicKey, wrapped } = await signingKeyOf(context);
  const [previous, head] = [await checkpoints.latest(), await audit.head()];
  const problem = await sinceLast(context, { publicKey, previous, head });
  if (problem !== undefined) throw tampered(problem);
  if (previous?.sequence === head.sequence) return { checkpoint: previous, publicKey, made: false };
  const seed = keyRing.unwrapNamed(wrapped, signingKeyName(keyId));
  const { sequence, hash, incarnation } = head;
  const atMs = Math.max(clock.wallMs(), previous?.atMs ?? 0);
  const checkpoint = signCheckpoint(seed, { sequence, hash, atMs, incarnation });
  seed.fill(0);
  if (checkpoint.keyId !== keyId || keyIdOf(publicKey) !== keyId) {
    throw tampered(broken(sequence, 'the public key in the store is not that of the signing key'));
  }
  await checkpoints.add(checkpoint);
  const [kept] = await checkpoints.list({ after: sequence - 1, limit: 1 });
  if (kept === undefined) throw new StoreUnavailable('the checkpoint is not there yet');
  return { checkpoint: kept, publicKey, made: true };
}

/** Whether the last checkpoint is one of ours, and the chain goes on from it to the recorded end. */
async function sinceLast(
  { audit }: OperationContext,
  at: { publicKey: string; previous: Checkpoint | undefined; head: AuditHead },
): Promise<Broken | undefined> {
  const { publicKey, previous, head } = at;
  if (previous !== undefined && !isSignedBy(publicKey, previous)) {
    return broken(previous.sequence, 'its checkpoint was altered: the signature does not fit');
  }
  const start = { sequence: previous?.sequence ?? 0, hash: previous?.hash ?? '' };
  const recorded = { ...head, who: 'the recorded end' };
  const walk = newTrailWalk(start, new Map([[head.sequence, [recorded]]]));
  if (head.sequence === start.sequence && head.hash !== start.hash) {
    return broken(head.sequence, 'the recorded end is not what the checkpoint of this line says');
  }
  if (head.sequence < start.sequence) {
    return broken(head.sequence + 1, `cut off: there is a checkpoint of line ${start.sequence}`);
  }
  while (walk.last().sequence < head.sequence) {
    const page = await audit.chain({ after: walk.last().sequence, limit: PAGE_LINES });
    if (page.length === 0) return walk.end();
    for (const link of page) {
      if (link.sequence > head.sequence) return undefined;
      const problem = walk.take(link);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function tampered({ firstBad, problem }: Broken): ChangeRefused {
  return new ChangeRefused(
    'conflict',
    `no checkpoint is made of an audit trail that is broken at line ${firstBad}: ${problem}; ` +
      "see 'countersign audit verify'",
  );
}
