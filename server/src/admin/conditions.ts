/** What a request insists on: that nothing has changed (RFC 9110 §13.1), or that it be done once. */

import { hash } from 'node:crypto';
import { headerOf, headerValues, type Incoming } from '../endpoints/exchange.ts';
import { documentOf } from '../operations/document.ts';
import type { Change, Changes, Command, Once } from '../ports/store.ts';
import { invalidRequest, ProblemFound } from './problem.ts';
import type { AdminRoute } from './route.ts';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** The strong entity tag of the state that a change left. */
export const etagOf = (change: number): string => `"${change}"`;

/** What If-Match insists on: the last change about the target. Undefined: on nothing. Throws `ProblemFound`. */
export function expectedChange(
  incoming: Incoming,
  target: string | undefined,
): Command['expected'] {
  const given = oneHeader(incoming, 'If-Match');
  if (given === undefined || given === '*') return undefined;
  if (target === undefined) {
    throw new ProblemFound(
      invalidRequest('If-Match has no meaning here: there is no ETag to match.'),
    );
  }
  const change = /^"(0|[1-9]\d{0,14})"$/.exec(given)?.[1];
  if (change === undefined) {
    throw new ProblemFound(invalidRequest('If-Match must be one ETag, as an answer gave it.'));
  }
  return { target, change: Number(change) };
}

/** Whether the caller has the state of this change already. */
export function isKnown(incoming: Incoming, change: number): boolean {
  const given = headerOf(incoming, 'if-none-match');
  const tags = given?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes('*') || tags.includes(etagOf(change));
}

/** The key of a creation, and the digest of what it is asked for. Throws `ProblemFound`. */
export function onceOf(
  incoming: Incoming,
  route: Pick<AdminRoute, 'creates' | 'operation'>,
  asked: { readonly caller: string; readonly path: unknown; readonly body: unknown },
): Omit<Once, 'made'> | undefined {
  const key = oneHeader(incoming, 'Idempotency-Key');
  if (key === undefined || !route.creates) return undefined;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw new ProblemFound(
      invalidRequest('Idempotency-Key must have 1 to 255 visible characters of ASCII.'),
    );
  }
  const { caller, path, body } = asked;
  const request = hash('sha256', canonical([route.operation, path, body]), 'base64url');
  return { caller, key, request };
}

/** What a caller insists on is not overlooked because it was said twice. Throws `ProblemFound`. */
function oneHeader(incoming: Incoming, name: string): string | undefined {
  const [value, ...more] = headerValues(incoming, name.toLowerCase());
  if (more.length === 0) return value;
  throw new ProblemFound(invalidRequest(`${name} must be given once.`));
}

/** JSON whose members stand in one order, so that the same request has one digest. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

export type Careful = {
  readonly changes: Changes;
  /** What an earlier request with the same key made. */
  readonly replayed: () => Once['made'] | undefined;
};

/** Changes whose first commit insists on what the request does. */
export function carefully(
  changes: Changes,
  on: { readonly expected: Command['expected']; readonly once: Omit<Once, 'made'> | undefined },
): Careful {
  let { expected, once } = on;
  let replayed: Once['made'] | undefined;
  return {
    replayed: () => replayed,
    changes: {
      ...changes,
      commit: async (command) => {
        const made = once === undefined ? undefined : { ...once, made: madeBy(command.change) };
        const insisted = { ...command, expected, once: made };
        expected = undefined;
        once = undefined;
        const committed = await changes.commit(insisted);
        replayed ??= committed.replayed;
        return committed;
      },
    },
  };
}

/** Ids and settings of what a change makes, by the names that they are answered by. What only the store needs, and any hash, is left out. */
function madeBy(change: Change): Once['made'] {
  const { kind: _, ...members } = change;
  const secret = 'secret' in change && typeof change.secret === 'object' ? change.secret : {};
  const claim =
    'claim' in change && change.claim !== undefined
      ? { claimId: change.claim.claimId, claimExpiresAtMs: change.claim.expiresAtMs }
      : {};
  const named = Object.entries({ ...secret, ...claim, ...members }).filter(
    ([name, value]) =>
      (typeof value === 'string' || typeof value === 'number') && !HIDDEN.has(name),
  );
  return documentOf(Object.fromEntries(named)) as Once['made'];
}

const HIDDEN = new Set(['hint', 'pepperVersion', 'wrapped', 'masterKeyCheck']);
