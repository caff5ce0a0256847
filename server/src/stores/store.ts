/** A store as the rest of the server holds it, whatever engine it stands on: the ports together, and its end. */

import type { AuditTrail } from '../ports/audit-trail.ts';
import type { ChangeLog, Fact, NodeRegistry } from '../ports/change-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { Directory } from '../ports/directory.ts';
import type { DutyRoster } from '../ports/duties.ts';
import type { Changes, Replication } from '../ports/store.ts';
import type { Webhooks } from '../ports/webhooks.ts';

export type Store = Changes & {
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly checkpoints: Checkpoints;
  readonly webhooks: Webhooks;
  readonly log: ChangeLog;
  /** The environments and their root keys, which a tool needs without the rest of a snapshot. */
  rootKeys(): Promise<readonly Fact[]>;
  readonly nodes: NodeRegistry;
  /** Left out by a store that stands on one machine. */
  readonly replication?: () => Promise<Replication>;
  readonly duties: DutyRoster;
  /** A name for a new node of this process, its slot held until the store is closed. */
  takeNode(): { node: string; slot: string };
  close(): Promise<void>;
};

/** The parts of a store that operations are given. */
export function portsOf(store: Store) {
  const { directory, audit, checkpoints, webhooks, log, nodes, duties } = store;
  const changes: Changes = store;
  return { changes, directory, audit, checkpoints, webhooks, log, nodes, duties };
}
