/** Who may do what through the admin API, as data: a permission names the roles that have it. */

import { OPERATORS, type Role } from '../ports/model.ts';

/**
 * - admin: everything.
 * - support: onboards, rotates, suspends and reactivates, and reads what that takes; never without the approval that a policy demands.
 * - auditor: reads everything and changes nothing.
 * - partner: reads its own program and clients, and works on their secrets; whatever concerns others is not there for it.
 */
export const PERMISSIONS = {
  'program:read': ['admin', 'support', 'auditor', 'partner'],
  'program:create': ['admin', 'support'],
  'program:suspend': ['admin', 'support'],
  'program:reactivate': ['admin', 'support'],
  'client:read': ['admin', 'support', 'auditor', 'partner'],
  'client:create': ['admin', 'support'],
  'client:update': ['admin', 'support'],
  'client:suspend': ['admin', 'support'],
  'client:reactivate': ['admin', 'support'],
  'client:delete': ['admin'],
  'approval:read': ['admin', 'support', 'auditor'],
  'approval:decide': ['admin', 'support'],
  /** Of a member of a body, beside what the row itself asks for. */
  'glass:break': ['admin'],
  'client:report': ['admin', 'support', 'auditor'],
  'secret:read': ['admin', 'support', 'auditor', 'partner'],
  'secret:create': ['admin', 'support', 'partner'],
  'secret:rotate': ['admin', 'support', 'partner'],
  'secret:expire': ['admin', 'support', 'partner'],
  'secret:revoke': ['admin', 'support', 'partner'],
  'token:read': ['admin', 'support', 'auditor', 'partner'],
  'token:inspect': ['admin', 'support', 'auditor'],
  'token:revoke': ['admin', 'support'],
  'declaration:read': ['admin', 'support', 'auditor', 'partner'],
  'declaration:create': ['admin'],
  'receipt:read': ['admin', 'support', 'auditor', 'partner'],
  'request:explain': ['admin', 'support', 'auditor'],
  'node:read': ['admin', 'support', 'auditor'],
  'audit:read': ['admin', 'auditor'],
  'audit:export': ['admin', 'auditor'],
  'audit:sign': ['admin', 'auditor'],
  'webhook:read': ['admin', 'auditor'],
  'webhook:change': ['admin'],
  'key:read': ['admin', 'auditor'],
  'key:change': ['admin'],
  'policy:read': ['admin', 'support', 'auditor'],
  'policy:set': ['admin'],
  'operator:read': ['admin', 'auditor'],
  'operator:change': ['admin'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Permission = keyof typeof PERMISSIONS;

/** The roles that have a permission. */
export function rolesWith(permission: Permission): readonly Role[] {
  return PERMISSIONS[permission];
}

/** The roles that a scope grants. Whoever is bound to a program is a partner and nothing else, whatever its scope says. */
export function rolesIn(scope: string, isBound: boolean): readonly Role[] {
  const named = scope.split(' ');
  return OPERATORS.roles.filter((role) => named.includes(role) && (role === 'partner') === isBound);
}
