/** A store as the rest of the server holds it, whatever engine it stands on: the ports together, and its end. */

import type { ChangeLog, NodeRegistry } from '../ports/change-log.ts';
import type { AuditTrail, Changes, Directory } from '../ports/store.ts';

export type Store = Changes & {
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly log: ChangeLog;
  readonly nodes: NodeRegistry;
  /** A name for a new node of this process, its slot held until the store is closed. */
  takeNode(): { node: string; slot: string };
  close(): Promise<void>;
};
