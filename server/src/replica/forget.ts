/** What a verifier that remembers answers must forget when a change is applied: reduced to one environment, and to names that its answers hold. */

import type { LoggedChange } from '../ports/change-log.ts';
import type { Replica } from './replica.ts';

export type Forget = {
  readonly all?: true;
  readonly programs?: readonly string[];
  readonly clients?: readonly string[];
  /** Ids of tokens. */
  readonly tokens?: readonly string[];
};

export const FORGET_ALL: Forget = { all: true };
/** More than that are forgotten with everything else. */
const NAMES_MAX = 200;

/**
 * What the change may have killed in an environment; undefined: nothing. Forgetting too much costs a question, so that it is not asked
 * whether the change gave or took.
 */
export function forgetOf(
  change: LoggedChange,
  environment: number,
  { clients }: Pick<Replica, 'clients'>,
): Forget | undefined {
  const gone = {
    programs: new Set<string>(),
    clients: new Set<string>(),
    tokens: new Set<string>(),
  };
  for (const fact of change.facts) {
    switch (fact.is) {
      case 'environment':
        if (fact.ordinal === environment) return FORGET_ALL;
        break;
      case 'key-retired':
        if (fact.environment === environment && fact.purpose === 'token') return FORGET_ALL;
        break;
      case 'program':
        // Of a program without clients here nobody here may learn.
        if (hasClients(fact.ordinal, environment, clients)) gone.programs.add(fact.programId);
        break;
      case 'client':
        if (fact.environment === environment) gone.clients.add(fact.clientId);
        break;
      case 'secret':
        if (fact.killed && clients.environment(fact.client) === environment)
          gone.clients.add(clients.clientId(fact.client));
        break;
      case 'revoked-token':
        if (clients.environment(fact.client) === environment) gone.tokens.add(fact.jti);
        break;
      default:
        // Scopes, resources, new keys and policies leave what a live token may do as it is.
        break;
    }
  }
  const size = gone.programs.size + gone.clients.size + gone.tokens.size;
  if (size === 0) return undefined;
  if (size > NAMES_MAX) return FORGET_ALL;
  return { programs: [...gone.programs], clients: [...gone.clients], tokens: [...gone.tokens] };
}

/** Whether the change is about the client itself, or the program that it is of: whoever it stands for must prove itself again. */
export function isAbout(
  change: LoggedChange,
  client: number,
  { clients }: Pick<Replica, 'clients'>,
): boolean {
  return change.facts.some(
    (fact) =>
      (fact.is === 'client' && fact.ordinal === client) ||
      (fact.is === 'secret' && fact.client === client) ||
      (fact.is === 'program' && fact.ordinal === clients.program(client)),
  );
}

function hasClients(program: number, environment: number, clients: Replica['clients']): boolean {
  for (let client = 1; client <= clients.lastOrdinal; client += 1) {
    if (clients.program(client) === program && clients.environment(client) === environment)
      return true;
  }
  return false;
}
