/** The audit trail as it is read: by people, and by whoever checks its chain. */

import type { AuditLine } from './model.ts';

/** The audit trail, as people read it and as its chain is checked. */
export type AuditTrail = {
  lines(filter: {
    after?: number;
    limit: number;
    change?: number;
    action?: string;
  }): Promise<readonly AuditLine[]>;
  /** The lines as stored, in order: `line` is the text that its hash covers. */
  chain(range: { after: number; limit: number }): Promise<readonly AuditLink[]>;
  /** Where the store believes the chain to end. */
  head(): Promise<AuditHead>;
};

export type AuditHead = {
  readonly sequence: number;
  readonly hash: string;
  /** Of the store, as of the same moment. */
  readonly incarnation: string;
};

export type AuditLink = {
  readonly sequence: number;
  readonly line: string;
  readonly hash: string;
};
