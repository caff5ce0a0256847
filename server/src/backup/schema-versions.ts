/** Two engines hold the same tables when their schemas have had the same steps. */

import { BackupRefused } from './archive.ts';

/** Of a schema that this program does not know it would leave out what it does not know of. */
export function requireSameSchema(one: number, other: number): void {
  if (one === other) return;
  throw new BackupRefused(
    `the store has schema ${Math.max(one, other)}, this Countersign knows ${Math.min(one, other)}: copy it with the newer version`,
  );
}
