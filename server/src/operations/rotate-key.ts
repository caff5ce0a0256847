/** Adds the next version of a token key or a pepper. Nothing that is alive is touched. */

import type { KeyPurpose } from '../ports/model.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { makeKey } from './key-material.ts';

export type AddedKey = Done & {
  readonly purpose: KeyPurpose;
  readonly environment: string;
  /** The one that new tokens are sealed with, or new secrets hashed under. */
  readonly version: number;
};

/** Rotates a key. Throws `ChangeRefused`, also when somebody else rotates it at the same moment. */
export async function rotateKey(
  context: OperationContext,
  input: { readonly environment: string; readonly purpose: KeyPurpose },
): Promise<AddedKey> {
  const { purpose } = input;
  const key = await makeKey(context, input);
  const { environment, version } = key;
  const done = await commitAndAwait(context, { kind: 'key.rotate', purpose, ...key });
  return { purpose, environment, version, ...done };
}
