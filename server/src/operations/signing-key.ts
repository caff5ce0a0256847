/** The key that signs checkpoints of the audit trail: made once for a store, its private part wrapped under the master key. */

import { newSigningKey } from '../credentials/checkpoint.ts';
import type { SigningKey } from '../ports/checkpoints.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { OperationContext } from './context.ts';

type Context = Pick<
  OperationContext,
  'changes' | 'checkpoints' | 'keyRing' | 'clock' | 'randomness' | 'actor'
>;

/** Under which name it is wrapped. */
export const signingKeyName = (keyId: string): string => `audit-key/${keyId}`;

/** The store's signing key, made if there is none. */
export async function signingKeyOf(context: Context): Promise<SigningKey> {
  const known = await context.checkpoints.signingKeys();
  if (known[0] !== undefined) return known[0];
  const { changes, keyRing, randomness, clock, actor } = context;
  const { keyId, publicKey, seed } = newSigningKey(randomness);
  const wrapped = keyRing.wrapNamed(seed, signingKeyName(keyId));
  seed.fill(0);
  const masterKeyCheck = keyRing.masterKeyCheck();
  await changes.commit({
    change: { kind: 'audit-key.create', keyId, publicKey, wrapped, masterKeyCheck },
    actor,
    atMs: clock.wallMs(),
  });
  // Another process may have been first: then it is that one's.
  const [made] = await context.checkpoints.signingKeys();
  if (made === undefined) throw new StoreUnavailable('the signing key is not there yet');
  return made;
}
