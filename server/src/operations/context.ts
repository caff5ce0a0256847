/** What an operation is given: who acts, and the parts of the authority that it may use. The same behind every door. */

import type { KeyRing } from '../credentials/key-ring.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import type { ChangeLog, ChangeRef, NodeRegistry } from '../ports/change-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { Deliveries } from '../ports/deliveries.ts';
import type { Directory } from '../ports/directory.ts';
import type { DutyRoster } from '../ports/duties.ts';
import type { JournalReader } from '../ports/journal.ts';
import { type EnvironmentRecord, OPERATORS } from '../ports/model.ts';
import { type Change, ChangeRefused, type Changes, type Replication } from '../ports/store.ts';
import type { Webhooks } from '../ports/webhooks.ts';
import { awaitReceipt, type Receipt, type Sightings } from '../replica/receipt.ts';
import type { Replica } from '../replica/replica.ts';

export type OperationContext = {
  /** Who acts: `cli:ada@desk-4`. Stands in the audit line. */
  readonly actor: string;
  readonly changes: Changes;
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly checkpoints: Checkpoints;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly log: ChangeLog;
  readonly nodes: NodeRegistry;
  readonly journal: JournalReader;
  /** Of a store that can have standbys. */
  readonly replication?: (() => Promise<Replication>) | undefined;
  readonly duties: DutyRoster;
  /** Holds the keys of every environment. */
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Base URL that operators get their tokens below, should their environment have to be made. */
  readonly adminIssuer: string;
  /** How long a change may wait for its receipt; left out: as long as any lease in use. */
  readonly receiptWaitMs?: number;
  /** The state that a running node has at hand; left out: it is read from the store, whole. */
  readonly replica?: () => Promise<Replica>;
  /** What is known of silent nodes from one receipt to the next, where many are waited for. */
  readonly sightings?: Sightings;
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
  waitMs = context.receiptWaitMs ?? RECEIPT_WAIT_MS,
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

/** The environments that partners have clients in. */
export async function partnerEnvironments({
  directory,
}: Pick<OperationContext, 'directory'>): Promise<readonly EnvironmentRecord[]> {
  return (await directory.environments()).filter(({ name }) => name !== OPERATORS.environment);
}

/** An environment of partners by name, or a refusal that lists the ones there are. */
export async function environmentNamed(
  context: Pick<OperationContext, 'directory'>,
  name: string,
): Promise<EnvironmentRecord> {
  return named(await partnerEnvironments(context), name);
}

/** The same, of operators too: it has keys like the others. */
export async function environmentWithKeys(
  context: Pick<OperationContext, 'directory'>,
  name: string,
): Promise<EnvironmentRecord> {
  return named(await context.directory.environments(), name);
}

function named(environments: readonly EnvironmentRecord[], name: string): EnvironmentRecord {
  const found = environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const known = environments.map((environment) => environment.name).join(', ');
  throw new ChangeRefused('not-found', `there is no environment ${name}; there are: ${known}`);
}
