/** Walks the audit trail from its first line and finds the first that is not as it was written. Changes nothing. */

import { auditHash } from '../ports/audit-chain.ts';
import type { AuditLink, AuditTrail } from '../ports/store.ts';
import type { OperationContext } from './context.ts';

const PAGE_LINES = 1_000;

export type AuditVerdict =
  | {
      readonly intact: true;
      readonly lines: number;
      /** Of the last line: compared with a copy that is kept elsewhere, it proves the whole trail. */
      readonly headHash: string;
    }
  | {
      readonly intact: false;
      /** The first line that is wrong or missing. */
      readonly firstBad: number;
      readonly problem: string;
    };

type End = { readonly sequence: number; readonly hash: string };
type Broken = Extract<AuditVerdict, { intact: false }>;

/** Verifies the whole trail. */
export async function verifyAudit(context: Pick<OperationContext, 'audit'>): Promise<AuditVerdict> {
  const { audit } = context;
  // Lines may be appended meanwhile: the trail must reach the head of before, and the head of after must reach it.
  const before = await audit.head();
  const walked = await walk(audit, before);
  if ('intact' in walked) return walked;
  if (walked.sequence < before.sequence) {
    return broken(walked.sequence + 1, 'the trail is cut off here, before its recorded end');
  }
  const after = await audit.head();
  if (after.sequence < walked.sequence) {
    return broken(after.sequence + 1, 'the line stands behind the recorded end of the trail');
  }
  return { intact: true, lines: walked.sequence, headHash: walked.hash };
}

async function walk(audit: AuditTrail, head: End): Promise<End | Broken> {
  let last: End = { sequence: 0, hash: '' };
  for (;;) {
    const page = await audit.chain({ after: last.sequence, limit: PAGE_LINES });
    if (page.length === 0) return last;
    for (const link of page) {
      const problem = problemOf(link, last, head);
      if (problem !== undefined) return problem;
      last = link;
    }
  }
}

function problemOf(link: AuditLink, last: End, head: End): Broken | undefined {
  if (link.sequence !== last.sequence + 1) return broken(last.sequence + 1, 'the line is missing');
  if (link.hash !== auditHash(last.hash, link.sequence, link.line)) {
    return broken(link.sequence, 'the line was altered or moved: its hash does not fit');
  }
  if (link.sequence === head.sequence && link.hash !== head.hash) {
    return broken(link.sequence, 'the line was rewritten: it is not the recorded end of the trail');
  }
  return undefined;
}

function broken(firstBad: number, problem: string): Broken {
  return { intact: false, firstBad, problem };
}
