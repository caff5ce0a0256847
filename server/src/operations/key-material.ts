/** Makes root keys: random, wrapped under the store's master key, under the next version of their kind. */

import type { KeyPurpose } from '../ports/model.ts';
import type { NewKey } from '../ports/store.ts';
import { environmentWithKeys, type OperationContext } from './context.ts';
import { requireEnvironmentName } from './input.ts';

/** The next version of a root key. Two operators who make one at once make the same version; the store takes one. */
export async function makeKey(
  context: Pick<OperationContext, 'directory' | 'keyRing' | 'randomness' | 'clock'>,
  of: { readonly purpose: KeyPurpose; readonly environment: string },
): Promise<NewKey> {
  const { directory, keyRing, randomness, clock } = context;
  const { purpose } = of;
  const { name } = await environmentWithKeys(context, requireEnvironmentName(of.environment));
  const versions = (await directory.keys(clock.wallMs()))
    .filter((key) => key.purpose === purpose && key.environment === name)
    .map(({ version }) => version);
  const named = { environment: name, version: Math.max(0, ...versions) + 1 };
  return {
    ...named,
    wrapped: keyRing.newRoot({ ...named, purpose }, randomness),
    masterKeyCheck: keyRing.masterKeyCheck(),
  };
}
