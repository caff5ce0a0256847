/** One change, whole: what it does, its audit line, its place in the log. The list of changes is closed. */

import type { Command, Committed } from '../../ports/store.ts';
import { appendChange, type Effect } from './append.ts';
import { createClient, deleteClient, reactivateClient, suspendClient } from './changes/clients.ts';
import { createProgram, reactivateProgram, suspendProgram } from './changes/programs.ts';
import {
  configureEnvironment,
  createResource,
  createScope,
  internScopeSetChange,
} from './changes/scopes.ts';
import { createSecret, exposeSecret, revokeSecret, rotateSecret } from './changes/secrets.ts';
import { revokeToken } from './changes/tokens.ts';
import type { Steps } from './schema.ts';

/** The whole transaction of one command; `changeId` is fresh randomness. */
export function* commit(command: Command & { changeId: string }): Steps<Committed> {
  const effect = yield* effectOf(command);
  if ('changed' in effect) return effect;
  return yield* appendChange(effect, { ...command, kind: command.change.kind });
}

function* effectOf({ change, actor, atMs }: Command): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'program.create':
      return yield* createProgram(change, atMs);
    case 'program.suspend':
      return yield* suspendProgram(change, atMs);
    case 'program.reactivate':
      return yield* reactivateProgram(change);
    case 'client.create':
      return yield* createClient(change, { actor, atMs });
    case 'client.suspend':
      return yield* suspendClient(change);
    case 'client.reactivate':
      return yield* reactivateClient(change);
    case 'client.delete':
      return yield* deleteClient(change);
    case 'secret.create':
      return yield* createSecret(change, { actor, atMs });
    case 'secret.rotate':
      return yield* rotateSecret(change, { actor, atMs });
    case 'secret.revoke':
      return yield* revokeSecret(change, { actor, atMs });
    case 'secret.expose':
      return yield* exposeSecret(change, { actor, atMs });
    case 'scope.create':
      return yield* createScope(change);
    case 'resource.create':
      return yield* createResource(change);
    case 'scope-set.intern':
      return yield* internScopeSetChange(change);
    case 'token.revoke':
      return yield* revokeToken(change, atMs);
    case 'environment.configure':
      return yield* configureEnvironment(change);
  }
}
