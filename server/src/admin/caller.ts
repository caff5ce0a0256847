/** Who calls the admin API, and whether that role may: an access token of the operators' issuer (RFC 6750), and the permission table. */

import { type BearerReason, bearerRefusal, bearerToken, isRefusal } from '@countersign/protocol';
import { type Authority, environmentOf } from '../endpoints/context.ts';
import type { Incoming } from '../endpoints/exchange.ts';
import { verifyToken } from '../endpoints/verify-token.ts';
import { OPERATORS, type Role } from '../ports/model.ts';
import { type Permission, rolesIn, rolesWith } from './permissions.ts';
import { type Problem, ProblemFound, UNAVAILABLE } from './problem.ts';

const REALM = 'countersign-admin';

export type Caller = {
  readonly clientId: string;
  readonly actor: string;
  readonly roles: readonly Role[];
  /** The partner program that it is bound to; undefined for the bank's own people. */
  readonly program: string | undefined;
};

/** The caller that a request's access token stands for. Throws `ProblemFound`. */
export async function callerOf(authority: Authority, incoming: Incoming): Promise<Caller> {
  const presented = bearerToken(incoming);
  if ('reason' in presented) throw refused(presented.reason);
  const { replica } = authority;
  const environment = replica.environmentByName(OPERATORS.environment);
  if (environment === undefined) throw new ProblemFound(UNAVAILABLE);
  const verified = await verifyToken(authority, environment.ordinal, presented.token);
  if (isRefusal(verified)) throw new ProblemFound(UNAVAILABLE);
  if (verified.standing === 'expired') throw refused('expired-token');
  if (verified.standing !== 'live') throw refused('unknown-token');
  const { client, scopeSet } = verified.claims;
  const scope = environmentOf(authority, environment.ordinal).scopeSets.get(scopeSet) ?? '';
  const programId = replica.program(replica.clients.program(client))?.programId;
  if (programId === undefined) throw new ProblemFound(UNAVAILABLE);
  const clientId = replica.clients.clientId(client);
  const isBound = programId !== OPERATORS.programId;
  return {
    clientId,
    actor: `operator:${clientId}`,
    roles: rolesIn(scope, isBound),
    program: isBound ? programId : undefined,
  };
}

/** Throws `ProblemFound` unless one of the caller's roles has the permission. */
export function requirePermission(caller: Caller, permission: Permission): void {
  const allowed = rolesWith(permission);
  if (caller.roles.some((role) => allowed.includes(role))) return;
  throw refused('insufficient-scope', allowed.join(' '));
}

const TITLES: Readonly<Record<number, Pick<Problem, 'name' | 'title'>>> = {
  400: { name: 'invalid-request', title: 'The request is not as it must be' },
  401: { name: 'unauthenticated', title: 'An access token is needed' },
  403: { name: 'forbidden', title: 'Your role may not do this' },
};

function refused(reason: BearerReason, scope?: string): ProblemFound {
  const { status, description, headers } = bearerRefusal(REALM, reason, { scope });
  const { name, title } = TITLES[status] ?? { name: 'unavailable', title: 'Not now' };
  const detail = scope === undefined ? description : `${description} One of: ${scope}.`;
  return new ProblemFound({ status, name, title, detail, headers });
}
