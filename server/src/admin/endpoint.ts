/**
 * One request to the admin API, from its token to its answer; every branch of it, in order. Knows no single row.
 *
 *   no token, a dead one                       401
 *   a role without the permission              403
 *   path, query or body not as the row says    404, 400, 415
 *   a role without that of a member of it      403
 *   what is another program's                  404, and a line in the audit trail
 *   a partner that changes too much at once    429
 *   If-None-Match is what there is             304
 *   If-Match is not what there is              412, within the change's own transaction
 *   the same Idempotency-Key, another request  422
 *   the operation refuses                      400, 404, 409
 *   the store is out                           503
 *   otherwise                                  what the row answers; 202 while its receipt is incomplete
 */

import type { KeyRing } from '../credentials/key-ring.ts';
import type { Authority } from '../endpoints/context.ts';
import type { Answer, Incoming } from '../endpoints/exchange.ts';
import type { OperationContext } from '../operations/context.ts';
import type { Check } from '../operations/doctor.ts';
import { OPERATORS } from '../ports/model.ts';
import { ChangeRefused, StoreUnavailable } from '../ports/store.ts';
import { type Caller, callerOf, requirePermission } from './caller.ts';
import { carefully, expectedChange, isKnown, onceOf, etagOf as tagOfChange } from './conditions.ts';
import { type CursorKeys, cursorAt, placeOf } from './cursor.ts';
import { answerTo } from './outcome.ts';
import type { PartnerPace } from './partner-pace.ts';
import {
  FAILED,
  type Problem,
  ProblemFound,
  problemAnswer,
  refusedChange,
  tooMany,
  UNAVAILABLE,
} from './problem.ts';
import { type Input, readerOf } from './reading.ts';
import type { AdminRoute, Call } from './route.ts';
import { PAGE_ITEMS, permissionsOf } from './schemas.ts';
import { OfAnotherProgram, requireOwn, targetOf } from './target.ts';

export type AdminDeps = {
  readonly authority: Authority;
  readonly contextOf: (actor: string) => OperationContext;
  readonly diagnose: () => Promise<readonly Check[]>;
  /** Path of the API as callers reach it: `/admin/v1`. */
  readonly base: string;
  readonly partnerPace: PartnerPace;
};

/** A change is waited for this long; then its receipt can be asked for. */
const RECEIPT_WAIT_MS = 5_000;

/** The handler of one row. */
export function adminEndpoint(
  deps: AdminDeps,
  route: AdminRoute,
): (incoming: Incoming) => Promise<Answer> {
  // Made when it is first needed: all of them at once would hold up a start.
  let read: ReturnType<typeof readerOf> | undefined;
  return async (incoming) => {
    let caller: Caller | undefined;
    try {
      caller = await callerOf(deps.authority, incoming);
      requirePermission(caller, route.permission);
      read ??= readerOf(route);
      const input = read(incoming);
      for (const needed of permissionsOf(route.body, input.body)) requirePermission(caller, needed);
      return await serve(deps, route, { incoming, caller, input });
    } catch (error) {
      const problem = problemOf(error);
      tell(deps, route, { incoming, caller, problem, error });
      return problemAnswer(problem, incoming.requestId);
    }
  };
}

async function serve(
  deps: AdminDeps,
  route: AdminRoute,
  asked: { readonly incoming: Incoming; readonly caller: Caller; readonly input: Input },
): Promise<Answer> {
  const { incoming, caller, input } = asked;
  const own = deps.contextOf(caller.actor);
  const target = await targetOf(own, route, input.path);
  requireOwn(caller.program, { target, query: input.query });
  const isRead = route.method === 'GET';
  if (!isRead && caller.program !== undefined) {
    const nowMs = deps.authority.clock.monotonicMs();
    const waitMs = deps.partnerPace.changes.waitMs(caller.clientId, nowMs);
    if (waitMs > 0) throw new ProblemFound(tooMany(waitMs));
  }
  // Read before what it tags: a change between the two makes the tag too old, and never too new.
  const change =
    isRead && target !== undefined && showsTarget(route)
      ? await own.directory.lastChange(target.etagOf)
      : undefined;
  if (change !== undefined && isKnown(incoming, change)) {
    return { status: 304, headers: { ETag: tagOfChange(change) }, body: '' };
  }
  const careful = carefully(own.changes, {
    expected: isRead ? undefined : expectedChange(incoming, target?.etagOf),
    once: onceOf(incoming, route, { caller: caller.actor, path: input.path, body: input.body }),
  });
  const context = { ...own, changes: careful.changes, receiptWaitMs: RECEIPT_WAIT_MS };
  const cursors = cursorsOf(deps, route, { caller, input });
  const result = await route.run({
    context,
    ...input,
    program: caller.program,
    page: pageOf(input, cursors.placeOf),
    diagnose: deps.diagnose,
  });
  return answerTo(result, {
    route,
    base: deps.base,
    change,
    replayed: careful.replayed(),
    cursorAt: cursors.at,
  });
}

/** A row that shows the target itself, and not a list or a report that other changes alter as well. */
const showsTarget = ({ path }: AdminRoute): boolean => path.endsWith('}');

function pageOf({ query }: Input, place: (cursor: string) => number): Call['page'] {
  const { limit = PAGE_ITEMS, cursor } = query as { limit?: number; cursor?: string };
  return { after: cursor === undefined ? undefined : place(cursor), limit: limit + 1 };
}

/** A cursor is bound to its list: the operation, what the path names, the filter, and whose list it is. */
function cursorsOf(
  { authority }: AdminDeps,
  { operation }: AdminRoute,
  { caller, input }: { readonly caller: Caller; readonly input: Input },
) {
  const { cursor: _, limit: __, ...filter } = input.query;
  const sorted = Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1));
  const list = JSON.stringify([operation, input.path, sorted, caller.program ?? '']);
  const keys = cursorKeysOf(authority);
  return {
    at: (place: number): string => cursorAt(keys, list, place),
    placeOf: (cursor: string): number => placeOf(keys, list, cursor),
  };
}

function cursorKeysOf({
  keyRing,
  replica,
}: {
  readonly keyRing: KeyRing;
  readonly replica: Authority['replica'];
}): CursorKeys {
  const ordinal = replica.environmentByName(OPERATORS.environment)?.ordinal ?? 0;
  return {
    newest: () => keyRing.newestCursorKey(ordinal),
    of: (version) => keyRing.cursorKey(ordinal, version),
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemFound) return error.problem;
  if (error instanceof ChangeRefused) return refusedChange(error.code, error.message);
  return error instanceof StoreUnavailable ? UNAVAILABLE : FAILED;
}

/** A line in the log under the request's id; and one in the audit trail when somebody reached for what is another's. */
function tell(
  { authority, contextOf, partnerPace }: AdminDeps,
  { operation }: AdminRoute,
  about: {
    readonly incoming: Incoming;
    readonly caller: Caller | undefined;
    readonly problem: Problem;
    readonly error: unknown;
  },
): void {
  const { incoming, caller, problem, error } = about;
  const { requestId, address } = incoming;
  const fields = {
    requestId,
    operation,
    address,
    client: caller?.clientId,
    status: problem.status,
  };
  if (problem.status < 500) authority.log.info({ ...fields, reason: problem.name }, 'refused');
  else authority.log.error({ ...fields, cause: (error as Error).message }, 'not done');
  if (!(error instanceof OfAnotherProgram) || caller === undefined) return;
  const nowMs = authority.clock.monotonicMs();
  if (partnerPace.foreignIds.waitMs(caller.clientId, nowMs) > 0) return;
  const { target } = error;
  authority.background.run('record of a foreign id', () =>
    contextOf(caller.actor).changes.record({
      actor: caller.actor,
      atMs: authority.clock.wallMs(),
      action: 'operator.refused',
      target,
      detail: { operation, program: caller.program, requestId, address },
    }),
  );
}
