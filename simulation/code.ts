/** The code under test as it is: no bug, every seam closed. */

import { newCredentialsCache } from '../server/src/replica/credentials-cache.ts';
import { FOLLOWER_DEFAULTS, newFollower } from '../server/src/replica/follower.ts';
import { awaitReceipt } from '../server/src/replica/receipt.ts';
import { newReplica } from '../server/src/replica/replica.ts';
import type { StoreFlaws } from './commit.ts';
import type { Code } from './node.ts';

export const REAL_CODE: Code = {
  newReplica,
  newCredentialsCache,
  newFollower,
  awaitReceipt,
  seams: {
    log: (log) => log,
    waiter: (nodes) => nodes,
    follower: (follower) => follower,
    request: (authority) => authority,
    pollIntervalMs: FOLLOWER_DEFAULTS.pollIntervalMs,
    forgetsCredentials: true,
  },
};

export const NO_FLAWS: StoreFlaws = {
  suspendsWithoutBump: false,
  numbersBeforeCommit: false,
  countsRenewals: false,
  knowsByNumber: false,
};
