/** The table of duties: everything that a store's nodes do without being asked. A new one is a file and a line here. */

import { DELIVERIES } from './deliver.ts';
import { DORMANT_CLIENTS } from './dormant-clients.ts';
import type { Duty } from './duty.ts';
import { ENDING_SUSPENSIONS } from './ending-suspensions.ts';
import { EXPIRING_SECRETS } from './expiring-secrets.ts';
import { PRUNING } from './prune.ts';
import { CHECKPOINTS } from './sign-checkpoints.ts';

export const DUTIES: readonly Duty[] = [
  // One a line, so that two who add one are not in each other's way.
  PRUNING,
  EXPIRING_SECRETS,
  DORMANT_CLIENTS,
  ENDING_SUSPENSIONS,
  CHECKPOINTS,
  DELIVERIES,
];
