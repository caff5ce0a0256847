/** What an endpoint is given to work with. Each is a part of the running authority; none is a store. */

import type { KeyRing } from '../credentials/key-ring.ts';
import type { Open } from '../credentials/opened-tokens.ts';
import type { ChangeRef } from '../ports/change-log.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { Directory } from '../ports/directory.ts';
import type { Journal } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import type { Changes } from '../ports/store.ts';
import type { CredentialsCache } from '../replica/credentials-cache.ts';
import type { Follower } from '../replica/follower.ts';
import type { Receipt } from '../replica/receipt.ts';
import type { EnvironmentState, Replica } from '../replica/replica.ts';
import type { SubscriberRow } from '../replica/subscriber-row.ts';
import type { Subscriptions } from '../replica/subscriptions.ts';
import type { Admission } from './admission.ts';
import type { Background } from './background.ts';
import type { LeakDesk } from './leak-desk.ts';
import type { Pace } from './pace.ts';
import type { Quotas } from './quotas.ts';
import type { RecordChecks } from './record-checks.ts';
import type { Refusing } from './refusing.ts';
import type { SecretMoves } from './secret-moves.ts';
import type { SecretUses } from './secret-uses.ts';

export type Authority = {
  readonly replica: Replica;
  readonly follower: Follower;
  readonly credentials: CredentialsCache;
  readonly keyRing: KeyRing;
  /** Opens tokens, each once as long as it comes again. */
  readonly open: Open;
  readonly journal: Journal;
  readonly changes: Changes;
  /** Waits until every node has acknowledged a change. */
  readonly receipt: (change: ChangeRef) => Promise<Receipt>;
  readonly admission: Admission;
  readonly refusing: Refusing;
  readonly leaks: LeakDesk;
  readonly reportAdmission: Pace;
  readonly directory: Pick<Directory, 'secretsByMac'>;
  readonly background: Background;
  readonly secretMoves: SecretMoves;
  readonly secretUses: SecretUses;
  readonly recordChecks: RecordChecks;
  readonly quotas: Quotas;
  /** Verifiers that follow this node. */
  readonly subscriptions: Subscriptions;
  readonly subscriberRow: SubscriberRow;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
};

/** The environment that a route stands for, as the replica has it now. */
export function environmentOf(
  authority: Pick<Authority, 'replica'>,
  ordinal: number,
): EnvironmentState {
  const environment = authority.replica.environment(ordinal);
  if (environment === undefined) throw new Error(`environment ${ordinal} is not loaded`);
  return environment;
}
