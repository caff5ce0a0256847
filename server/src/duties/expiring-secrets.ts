/** Announces the secrets that are about to end. */

import { announceExpiries } from '../operations/announce-expiries.ts';
import type { Duty } from './duty.ts';

const HOUR_MS = 3_600_000;

export const EXPIRING_SECRETS: Duty = {
  name: 'expiring-secrets',
  everyMs: HOUR_MS,
  run: async (context) => {
    await announceExpiries(context);
  },
};
