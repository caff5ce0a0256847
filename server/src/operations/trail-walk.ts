/** Judges audit lines one after another, by the chain and by what checkpoints vouch for. Knows neither a store nor a file. */

import { auditHash } from '../ports/audit-chain.ts';
import type { AuditLink } from '../ports/audit-trail.ts';

export type End = { readonly sequence: number; readonly hash: string };

export type Broken = {
  readonly intact: false;
  /** The first line that is wrong or missing, or that nothing vouches for any more. */
  readonly firstBad: number;
  readonly problem: string;
};

/** What is known of the trail apart from its lines: at a line, its hash, and who says so. */
export type Witness = End & { readonly who: string };
/** By line; what is said of one line by several is all kept. */
export type Witnesses = ReadonlyMap<number, readonly Witness[]>;

export type TrailWalk = {
  /** The line judged last; at first, what stands before the first. */
  last(): End;
  /** The last line that a witness has vouched for. */
  vouchedFor(): number;
  take(link: AuditLink): Broken | undefined;
  /** After the last line: whether lines are missing that a witness has seen. */
  end(): Broken | undefined;
};

/** A walk that begins after `start`. */
export function newTrailWalk(start: End, witnesses: Witnesses): TrailWalk {
  let last = start;
  let vouchedFor = 0;
  const newest = newestOf(witnesses);
  const judgeWitnesses = (at: End): Broken | undefined => {
    for (const { hash, who } of witnesses.get(at.sequence) ?? []) {
      if (hash === at.hash) vouchedFor = at.sequence;
      else return rewritten(Math.max(vouchedFor, start.sequence) + 1, at.sequence, who);
    }
    return undefined;
  };
  return {
    last: () => last,
    vouchedFor: () => vouchedFor,
    take: (link) => {
      if (link.sequence !== last.sequence + 1) {
        return broken(last.sequence + 1, 'the line is missing');
      }
      if (link.hash !== auditHash(last.hash, link.sequence, link.line)) {
        return broken(link.sequence, 'the line was altered or moved: its hash does not fit');
      }
      last = link;
      return judgeWitnesses(link);
    },
    end: () => {
      if (newest === undefined || newest.sequence <= last.sequence) return undefined;
      const seen = `${newest.who} has seen line ${newest.sequence}`;
      return broken(last.sequence + 1, `the trail is cut off here: ${seen}`);
    },
  };
}

export function broken(firstBad: number, problem: string): Broken {
  return { intact: false, firstBad, problem };
}

/** Which of the lines it was cannot be told, as from it on the chain was computed anew: this one is the first that is known to be wrong. */
function rewritten(first: number, sequence: number, who: string): Broken {
  const which = first < sequence ? `one of the lines ${first} to ${sequence}` : `line ${sequence}`;
  return broken(sequence, `${which} was rewritten: the chain is not the one that ${who} has seen`);
}

function newestOf(witnesses: Witnesses): Witness | undefined {
  let newest: Witness | undefined;
  for (const [witness] of witnesses.values()) {
    if (witness !== undefined && witness.sequence >= (newest?.sequence ?? 0)) newest = witness;
  }
  return newest;
}
