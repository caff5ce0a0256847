/** What a store needs to begin a new life: a fresh incarnation, and a fresh token key for each environment. */

import { KeyRing } from '../credentials/key-ring.ts';
import type { MasterKey } from '../credentials/master-key.ts';
import type { Deps } from '../data-directory.ts';
import type { Restoring } from '../stores/sql/restore.ts';

export function newLife(
  masterKey: MasterKey,
  { clock, randomness, actor, keepActive }: Deps & { readonly keepActive: boolean },
): Restoring {
  const keyRing = new KeyRing(masterKey);
  return {
    incarnation: newId({ randomness }),
    changeId: newId({ randomness }),
    actor,
    atMs: clock.wallMs(),
    keepActive,
    newTokenKey: (environment, version) =>
      keyRing.newRoot({ purpose: 'token', environment, version }, randomness),
  };
}

/** An incarnation, or the id of a change. */
export const newId = ({ randomness }: Pick<Deps, 'randomness'>): string =>
  randomness.bytes(9).toString('base64url');
