/** What a path names, and whether it is there for this caller. What is another program's is not, and asking for it is put on record. */

import { tagOfClientId } from '../credentials/identifiers.ts';
import type { OperationContext } from '../operations/context.ts';
import { type ClientRecord, OPERATORS } from '../ports/model.ts';
import { NOT_FOUND, ProblemFound } from './problem.ts';
import type { AdminRoute } from './route.ts';

export type Target = {
  /** What its changes are counted by: a program's id or a client's. */
  readonly etagOf: string;
  readonly programId: string;
};

/** Thrown when the caller is bound to another program: the same to it as what does not exist. */
export class OfAnotherProgram extends ProblemFound {
  readonly target: string;

  constructor(target: string) {
    super(NOT_FOUND);
    this.target = target;
  }
}

/** The target of a row; undefined where it names none. Throws `ProblemFound`. */
export async function targetOf(
  { directory }: Pick<OperationContext, 'directory'>,
  { about }: Pick<AdminRoute, 'about'>,
  path: Readonly<Record<string, string>>,
): Promise<Target | undefined> {
  if (about === undefined || about === 'own') return undefined;
  if (about === 'program') {
    const programId = path['program_id'] ?? '';
    return { etagOf: programId, programId };
  }
  let clientId = path['client_id'] ?? '';
  if (about === 'secret') {
    const [secret] = await directory.secrets({ secretId: path['secret_id'] ?? '' });
    if (secret === undefined) throw new ProblemFound(NOT_FOUND);
    clientId = secret.clientId;
  }
  const client = await partnersClient(directory, clientId);
  return { etagOf: client.clientId, programId: client.programId };
}

/** Operators have rows of their own: whoever could give one a new secret would have its role. */
async function partnersClient(
  directory: OperationContext['directory'],
  clientId: string,
): Promise<ClientRecord> {
  const isOperator = tagOfClientId(clientId) === OPERATORS.tag;
  const [client] = isOperator ? [] : await directory.clients({ clientId });
  if (client === undefined) throw new ProblemFound(NOT_FOUND);
  return client;
}

/** Throws `OfAnotherProgram` when the target, or the program that the query names, is not the caller's. */
export function requireOwn(
  bound: string | undefined,
  asked: { readonly target: Target | undefined; readonly query: Readonly<Record<string, unknown>> },
): void {
  if (bound === undefined) return;
  const { target, query } = asked;
  if (target !== undefined && target.programId !== bound) throw new OfAnotherProgram(target.etagOf);
  const named = query['program_id'];
  if (named !== undefined && named !== bound) throw new OfAnotherProgram(String(named));
}
