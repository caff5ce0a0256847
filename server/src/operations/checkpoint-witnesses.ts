/** Turns checkpoints into what vouches for lines: only if their signature is right. Bounded; knows no store and no file. */

import { isSignedBy } from '../credentials/checkpoint.ts';
import type { Checkpoint } from '../ports/checkpoints.ts';
import { invalid } from './input.ts';
import { type Broken, broken, type Witness, type Witnesses } from './trail-walk.ts';

/** Two years of a checkpoint a minute, 200 MB. */
const CHECKPOINTS_MAX = 1_000_000;

export type WitnessStand = {
  /** Checks a checkpoint and calls it as a witness. `from` says whence it is: it stands in what is told. */
  call(checkpoint: Checkpoint, from: string): Broken | undefined;
  readonly witnesses: Witnesses;
};

/** Takes the checkpoints that were signed with one of these keys. */
export function newWitnessStand(publicKeys: ReadonlyMap<string, string>): WitnessStand {
  const witnesses = new Map<number, readonly Witness[]>();
  return {
    witnesses,
    call: (checkpoint, from) => {
      const { sequence, hash, keyId } = checkpoint;
      const who = `${from} checkpoint ${sequence}`;
      const known = witnesses.get(sequence) ?? [];
      if (known.some((witness) => witness.hash === hash)) {
        // Said already: a thousand copies of it cost one.
        return isSignedByOne(publicKeys, checkpoint) ? undefined : forged(checkpoint, who);
      }
      if (!publicKeys.has(keyId)) {
        return broken(
          sequence,
          `${who} was signed with the key ${keyId}, which is not the given one`,
        );
      }
      if (!isSignedByOne(publicKeys, checkpoint)) return forged(checkpoint, who);
      if (witnesses.size >= CHECKPOINTS_MAX) {
        throw invalid(`there are more than ${CHECKPOINTS_MAX} checkpoints: verify in parts`);
      }
      witnesses.set(sequence, [...known, { sequence, hash, who }]);
      return undefined;
    },
  };
}

function isSignedByOne(publicKeys: ReadonlyMap<string, string>, checkpoint: Checkpoint): boolean {
  const publicKey = publicKeys.get(checkpoint.keyId);
  return publicKey !== undefined && isSignedBy(publicKey, checkpoint);
}

function forged({ sequence }: Checkpoint, who: string): Broken {
  return broken(sequence, `${who} was altered: its signature does not fit`);
}
