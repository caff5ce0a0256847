/** Changes a client's settings. Narrowing them kills its tokens, unless it is told not to. */

import type { TokenQuota } from '../ports/model.ts';
import type { ClientSettings } from '../ports/store.ts';
import { requireAddressBlocks } from './address-blocks.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import {
  invalid,
  requireClientId,
  requireName,
  requireResources,
  requireScopeNames,
  requireTokenLifetime,
} from './input.ts';

const TOKENS_PER_HOUR_MAX = 1_000_000;

/** Sets what is given and leaves the rest. Nothing given, or nothing that differs: nothing is changed. Throws `ChangeRefused`. */
export async function updateClient(
  context: OperationContext,
  input: { readonly clientId: string; readonly set: ClientSettings; readonly keepTokens?: boolean },
): Promise<Done> {
  const clientId = requireClientId(input.clientId);
  const { set } = input;
  if (Object.values(set).every((value) => value === undefined)) {
    throw invalid('say what to change: nothing is given that would');
  }
  return await commitAndAwait(context, {
    kind: 'client.update',
    clientId,
    set: {
      ...(set.name === undefined ? {} : { name: requireName('--name', set.name) }),
      ...(set.scope === undefined ? {} : { scope: requireScopeNames(set.scope) }),
      ...(set.resources === undefined ? {} : { resources: requireResources(set.resources) }),
      ...(set.allowIp === undefined ? {} : { allowIp: requireAddressBlocks(set.allowIp) }),
      ...(set.verifyAddress === undefined ? {} : { verifyAddress: set.verifyAddress }),
      ...(set.tokenLifetimeSeconds === undefined
        ? {}
        : { tokenLifetimeSeconds: requireTokenLifetime(set.tokenLifetimeSeconds) }),
      ...(set.tokenQuota === undefined ? {} : { tokenQuota: requireQuota(set.tokenQuota) }),
    },
    keepTokens: input.keepTokens ?? false,
  });
}

function requireQuota(quota: TokenQuota | 'none'): TokenQuota | 'none' {
  if (quota === 'none') return quota;
  const { perHour } = quota;
  if (Number.isInteger(perHour) && perHour >= 1 && perHour <= TOKENS_PER_HOUR_MAX) return quota;
  throw invalid(`--token-quota must be a whole number from 1 to ${TOKENS_PER_HOUR_MAX}, or none`);
}
