/** What an operation is given: who acts, and the parts of the authority that it may use. The same behind every door. */

import type { KeyRing } from '../credentials/key-ring.ts';
import type { ChangeLog, ChangeRef, NodeRegistry } from '../ports/change-log.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { DutyRoster } from '../ports/duties.ts';
import type { JournalReader } from '../ports/journal.ts';
import type { EnvironmentRecord } from '../ports/model.ts';
import {
  type AuditTrail,
  type Change,
  ChangeRefused,
  type Changes,
  type Directory,
} from '../ports/store.ts';
import { awaitReceipt, type Receipt } from '../replica/receipt.ts';

export type OperationContext = {
  /** Who acts: `cli:ada@desk-4`. Stands in the audit line. */
  readonly actor: string;
  readonly changes: Changes;
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly log: ChangeLog;
  readonly nodes: NodeRegistry;
  readonly journal: JournalReader;
  readonly duties: DutyRoster;
  /** Holds the keys of every environment. */
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly randomness: Randomness;
};

/** What a change returns to its operator: what it did and who has acknowledged it. */
export type Done = {
  readonly receipt: Receipt;
  /** False: it was so already, and the receipt is the earlier change's. */
  readonly changed: boolean;
};

/** Any lease in use is shorter, so that a wait this long ends in a complete receipt unless the store is gone. */
const RECEIPT_WAIT_MS = 120_000;

/** Commits a change and waits until every node has acknowledged it. A complete receipt becomes an audit line. */
export async function commitAndAwait(context: OperationContext, change: Change): Promise<Done> {
  const { changes, clock, actor } = context;
  const committed = await changes.commit({ change, actor, atMs: clock.wallMs() });
  return { receipt: await receiptOf(context, committed), changed: committed.changed };
}

/** The receipt of a change: the recorded one, or a new wait that is then recorded. */
export async function receiptOf(
  context: OperationContext,
  { sequence, changeId }: ChangeRef,
  waitMs = RECEIPT_WAIT_MS,
): Promise<Receipt> {
  const { audit, changes, clock, actor } = context;
  const [recorded] = await audit.lines({ change: sequence, action: 'receipt', limit: 1 });
  // The columns that found the line lie outside the audit chain; what counts is what the line itself says.
  const isRecorded = recorded?.action === 'receipt' && recorded.change === sequence;
  const earlier = isRecorded ? (recorded.detail as unknown as Receipt) : undefined;
  if (earlier !== undefined && (earlier.changeId ?? changeId) === changeId) return earlier;
  const receipt = await awaitReceipt(context, { sequence, changeId }, waitMs);
  if (receipt.complete) {
    await changes.record({
      actor,
      atMs: clock.wallMs(),
      action: 'receipt',
      target: `change/${sequence}`,
      change: sequence,
      detail: receipt,
    });
  }
  return receipt;
}

/** An environment by name, or a refusal that lists the ones there are. */
export async function environmentNamed(
  context: Pick<OperationContext, 'directory'>,
  name: string,
): Promise<EnvironmentRecord> {
  const environments = await context.directory.environments();
  const found = environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const known = environments.map((environment) => environment.name).join(', ');
  throw new ChangeRefused('not-found', `there is no environment ${name}; there are: ${known}`);
}
