/** When each secret was last used, and from where: a row a secret, apart from the row of the credential. */

import type { SecretUse } from '../../ports/secret-upkeep.ts';
import { db, run, type Steps } from './schema.ts';

/** Writes the uses, in the one order of all writers, so that no two wait for each other; of two uses the later stays. */
export function* noteUses(uses: readonly SecretUse[]): Steps<void> {
  if (uses.length === 0) return;
  const rows = uses
    .map(({ secret, atMs, address }) => ({ secret, at_ms: atMs, address }))
    .sort((a, b) => a.secret - b.secret);
  yield* run(
    db
      .insertInto('secret_uses')
      .values(rows)
      .onConflict((of) =>
        of
          .column('secret')
          .doUpdateSet((row) => ({
            at_ms: row.ref('excluded.at_ms'),
            address: row.ref('excluded.address'),
          }))
          .whereRef('secret_uses.at_ms', '<', 'excluded.at_ms' as never),
      ),
  );
}
