/**
 * What follows from where the database comes from: nobody begins to decide before every lease that a lost primary may have given has
 * run out, and an operator can be told. How it is noticed stands in the database itself (`migrations/0016-origin.ts`).
 */

import { sql } from 'kysely';
import { LOST_NODES, type NodeRow, writeOffAfterMs } from '../../ports/change-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Replication } from '../../ports/store.ts';
import { type Registration, registerNode } from '../sql/nodes.ts';
import { db, first, type Steps } from '../sql/schema.ts';
import type { Connections } from './connections.ts';

const LOOK_INTERVAL_MS = 200;

/** In the transaction of whatever depends on it. */
export function* noticeOrigin(leaseMs = 0): Steps<void> {
  yield { node: sql`select notice_origin(${leaseMs})`.toOperationNode(), locks: false };
}

/** Registers the node; or returns what it has to outlive first, and has not registered it. */
export function* registerUnlessLost(node: Registration): Steps<string | undefined> {
  yield* noticeOrigin(node.leaseMs);
  const lost = yield* first(
    db.selectFrom('nodes').select('node').where('node', 'like', `${LOST_NODES}%`).limit(1),
  );
  if (lost === undefined) yield* registerNode(node);
  return lost?.node;
}

type Outliving = {
  readonly list: () => Promise<readonly NodeRow[]>;
  readonly fence: (node: string, renewals: number) => Promise<boolean>;
  readonly clock: Clock;
  readonly tell: (message: string) => void;
};

/** Watches a row for as long as its lease may run, by this machine's own clock, then writes it off; another may be quicker. */
export function newOutliving({ list, fence, clock, tell }: Outliving) {
  /** Kept when a look fails, as the row has stood still all the same. */
  const seen = new Map<string, { renewals: number; sinceMs: number }>();
  return async (lost: string): Promise<void> => {
    for (;;) {
      const askedMs = clock.monotonicMs();
      const row = (await list()).find(({ node }) => node === lost);
      if (row === undefined) break;
      const sighting = seen.get(lost);
      if (sighting === undefined) {
        tell(
          `the store was promoted or restored: nothing is decided for ${writeOffAfterMs(row.leaseMs)} ms, ` +
            'as nodes that it does not know may decide for as long',
        );
      }
      if (sighting?.renewals !== row.renewals) {
        seen.set(lost, { renewals: row.renewals, sinceMs: clock.monotonicMs() });
      } else if (askedMs - sighting.sinceMs >= writeOffAfterMs(row.leaseMs)) {
        await fence(lost, row.renewals);
      }
      await clock.sleep(LOOK_INTERVAL_MS);
    }
    seen.delete(lost);
  };
}

/** What a failover would cost at this moment, and what the last one did. */
export async function replicationOf(connections: Connections): Promise<Replication> {
  const [row] = await connections.use((session) =>
    session.query(`
      select place, since_ms, synchronous, (select count(*) from pg_stat_replication) as standbys,
        (select lease_ms from nodes where node like '${LOST_NODES}%' limit 1) as lost_lease_ms
      from origin`),
  );
  const lostLeaseMs = row?.['lost_lease_ms'];
  return {
    place: String(row?.['place'] ?? ''),
    sinceMs: Number(row?.['since_ms'] ?? 0),
    isSynchronous: row?.['synchronous'] === 1,
    standbys: Number(row?.['standbys'] ?? 0),
    ...(typeof lostLeaseMs === 'number' ? { waitsMs: writeOffAfterMs(lostLeaseMs) } : {}),
  };
}
