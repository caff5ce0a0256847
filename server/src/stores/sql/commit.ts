/** Every change there is, by its kind. The list is closed; how a change ends is the store's own affair. */

import type { Command, Committed } from '../../ports/store.ts';
import type { Effect } from './append.ts';
import { createSigningKey } from './changes/audit-keys.ts';
import { changeClaim } from './changes/claims.ts';
import { createClient, deleteClient } from './changes/clients.ts';
import { retireAllTokenKeys, retireKey, rewrapKeys, rotateKey } from './changes/keys.ts';
import { createOperator, openOperators } from './changes/operators.ts';
import { createProgram } from './changes/programs.ts';
import { configureEnvironment, declare } from './changes/scopes.ts';
import { changeExpiry } from './changes/secret-expiry.ts';
import { changeSecret } from './changes/secrets.ts';
import { changeStanding } from './changes/standing.ts';
import { revokeToken } from './changes/tokens.ts';
import { updateClient } from './changes/update-client.ts';
import { changeWebhook } from './changes/webhooks.ts';
import { reportDormant } from './dormancy.ts';
import { claimKey, keepKey } from './once.ts';
import type { Steps } from './schema.ts';
import { requireUnchanged } from './unchanged.ts';

/** Does what a command asks, up to its number; or names the earlier change that already did. */
export function* effectOf(command: Command): Steps<Effect | Committed> {
  const { expected, once } = command;
  if (once !== undefined) {
    const earlier = yield* claimKey(once, command);
    if (earlier !== undefined) return earlier;
  }
  if (expected !== undefined) yield* requireUnchanged(expected);
  const effect = yield* effectOfChange(command);
  if (once !== undefined) yield* keepKey(once, effect);
  return effect;
}

function* effectOfChange({ change, actor, atMs }: Command): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'program.create':
      return yield* createProgram(change, atMs);
    case 'program.suspend':
    case 'program.reactivate':
    case 'client.suspend':
    case 'client.suspend-many':
    case 'client.reactivate':
    case 'suspension.end':
    case 'policy.set':
    case 'approval.ask':
    case 'approval.grant':
    case 'approval.refuse':
      return yield* changeStanding(change, { actor, atMs });
    case 'client.create':
      return yield* createClient(change, { actor, atMs });
    case 'client.update':
      return yield* updateClient(change);
    case 'client.dormant':
      return yield* reportDormant(change, atMs);
    case 'client.delete':
      return yield* deleteClient(change, { actor, atMs });
    case 'claim.create':
    case 'claim.use':
    case 'claim.stop':
    case 'claim.revoke':
      return yield* changeClaim(change, { actor, atMs });
    case 'secret.create':
    case 'secret.rotate':
    case 'secret.revoke':
    case 'secret.expose':
      return yield* changeSecret(change, { actor, atMs });
    case 'secret.expire':
    case 'secret.expiring':
      return yield* changeExpiry(change, atMs);
    case 'scope.create':
    case 'resource.create':
    case 'scope-set.intern':
      return yield* declare(change);
    case 'token.revoke':
      return yield* revokeToken(change, atMs);
    case 'operators.open':
      return yield* openOperators(change, atMs);
    case 'operator.create':
      return yield* createOperator(change, { actor, atMs });
    case 'operator.remove':
      return yield* deleteClient(change, { actor, atMs });
    case 'environment.configure':
      return yield* configureEnvironment(change);
    case 'audit-key.create':
      return yield* createSigningKey(change, atMs);
    case 'webhook.create':
    case 'webhook.delete':
    case 'webhook.resume':
    case 'webhook.disable':
      return yield* changeWebhook(change, { actor, atMs });
    case 'key.rotate':
      return yield* rotateKey(change, atMs);
    case 'key.retire':
      return yield* retireKey(change, atMs);
    case 'key.retire-all':
      return yield* retireAllTokenKeys(change, atMs);
    case 'key.rewrap':
      return yield* rewrapKeys(change);
  }
}
