/** Ends a key: one that nothing alive needs, or, when it has leaked, every token key of its environment at once. */

import type { KeyPurpose } from '../ports/model.ts';
import {
  commitAndAwait,
  type Done,
  environmentWithKeys,
  type OperationContext,
} from './context.ts';
import { requireEnvironmentName, requireReason } from './input.ts';
import { makeKey } from './key-material.ts';
import type { AddedKey } from './rotate-key.ts';

/** Retires a key. Throws `ChangeRefused` while a live token or secret may need it, and for the newest. */
export async function retireKey(
  context: OperationContext,
  input: {
    readonly environment: string;
    readonly purpose: KeyPurpose;
    readonly version: number;
  },
): Promise<Done> {
  const { purpose, version } = input;
  const named = await environmentWithKeys(context, requireEnvironmentName(input.environment));
  const environment = named.name;
  return await commitAndAwait(context, { kind: 'key.retire', purpose, environment, version });
}

/**
 * Kills every token of an environment: from the receipt on, none that was sealed before it opens anywhere. Secrets go on working.
 * Asked again about a version that is retired, it changes nothing. Throws `ChangeRefused`.
 */
export async function retireLeakedKey(
  context: OperationContext,
  input: { readonly environment: string; readonly version: number; readonly reason: string },
): Promise<AddedKey> {
  const reason = requireReason(input.reason);
  const purpose = 'token';
  const key = await makeKey(context, { purpose, environment: input.environment });
  const { environment, version } = key;
  const leaked = input.version;
  const done = await commitAndAwait(context, { kind: 'key.retire-all', ...key, leaked, reason });
  return { purpose, environment, version, ...done };
}
