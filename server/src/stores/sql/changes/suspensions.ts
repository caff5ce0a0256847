/**
 * The rows behind every suspension: one more, or the end of some. Whoever calls holds the row of the program or client, and sets its
 * state by what is said here: suspended while one is open.
 */

import { type Selectable, sql } from 'kysely';
import type { Reactivation } from '../../../ports/approvals.ts';
import { ChangeRefused, type Committed } from '../../../ports/store.ts';
import type { NewSuspension } from '../../../ports/suspensions.ts';
import { suspensionId } from '../../../ports/suspensions.ts';
import { type Effect, earlierChange, newestChange } from '../append.ts';
import { all, db, run, type Steps, type Tables } from '../schema.ts';
import { askForEnd } from './approvals.ts';

export type SuspensionRow = Selectable<Tables['suspensions']>;

/** What can be suspended, and how it stands. */
export type Suspendable = {
  readonly owner: 'program' | 'client';
  readonly ordinal: number;
  /** Its public id. */
  readonly target: string;
  readonly isSuspended: boolean;
  /** The reason that its row shows. */
  readonly shownReason: string | null;
};

type By = { readonly actor: string; readonly atMs: number };
type Detail = Readonly<Record<string, unknown>>;

/** Opens a suspension unless the very same one is open: then it names the change that did. */
export function* openSuspension(
  of: Suspendable,
  asked: NewSuspension,
  by: By,
): Steps<Pick<Effect, 'detail' | 'lines'> | Committed> {
  const open = yield* openSuspensions(of.owner, [of.ordinal]);
  if (of.isSuspended) {
    const same = open.find((row) => isSame(row, asked));
    if (same !== undefined) return yield* openedBy(same, of);
  } else {
    // A version that knew no rows has reactivated it: what it left open is over.
    yield* closeSuspensions(open, by);
  }
  const { target } = of;
  const lines = yield* askForEnd({ target, reason: asked.reason }, asked, by);
  const [row] = yield* insertSuspensions(of.owner, [of.ordinal], { ...asked, ...by, bulk: 0 });
  if (row === undefined) throw new Error(`no suspension of ${of.target} was written`);
  return { detail: suspensionDetail(row), lines };
}

/** What the audit trail says of a suspension. */
export function suspensionDetail(row: SuspensionRow): Detail {
  return {
    reason: row.reason,
    suspension: suspensionId(row.ordinal),
    ...(row.until_ms === null ? {} : { until: new Date(row.until_ms).toISOString() }),
  };
}

/** Ends what is open, or the one that is asked for; says why it stays suspended, if it does. */
export function* endSuspensions(
  of: Suspendable,
  asked: Reactivation,
  by: By,
): Steps<{ readonly remains: string | undefined; readonly detail: Detail }> {
  const open = yield* openSuspensions(of.owner, [of.ordinal]);
  const { known, suspension } = asked;
  if (suspension !== undefined && !open.some(({ ordinal }) => ordinal === suspension)) {
    throw new ChangeRefused(
      'not-found',
      `${of.target} has no open suspension ${suspensionId(suspension)}; 'countersign ${of.owner} show' lists them`,
    );
  }
  const ending = suspension === undefined ? open : open.filter((row) => row.ordinal === suspension);
  const unknown = ending.find(({ ordinal }) => known?.includes(ordinal) === false);
  // A suspension wins over every reactivation that was decided before it.
  if (unknown !== undefined) throw suspendedAgain(of, unknown);
  yield* closeSuspensions(ending, by);
  const [next] = open.filter((row) => !ending.includes(row));
  const shown = of.shownReason ?? '';
  const isUnaccounted = suspension !== undefined && !isAccountedFor(shown, open);
  const remains = next?.reason ?? (isUnaccounted ? shown : undefined);
  const suspensions = ending.map(({ ordinal }) => suspensionId(ordinal));
  return { remains, detail: { suspensions, ...(remains === undefined ? {} : { remains }) } };
}

export function* openSuspensions(
  owner: Suspendable['owner'],
  ordinals: readonly number[],
): Steps<readonly SuspensionRow[]> {
  return yield* all(
    db
      .selectFrom('suspensions')
      .selectAll()
      .where(owner, 'in', ordinals)
      .where('closed_at_ms', 'is', null)
      .orderBy('ordinal'),
  );
}

export function* insertSuspensions(
  owner: Suspendable['owner'],
  ordinals: readonly number[],
  asked: NewSuspension & By & { readonly bulk: 0 | 1 },
): Steps<readonly SuspensionRow[]> {
  const { reason, untilMs = null, approvalId = null, actor, atMs, bulk } = asked;
  const owned = [owner, 'reason', 'opened_at_ms', 'opened_by', 'until_ms', 'approval_id', 'bulk'];
  const text = (value: string | null) => sql`cast(${value} as text)`;
  const whole = (value: number | null) => sql`cast(${value} as bigint)`;
  const given = [
    text(reason),
    whole(atMs),
    text(actor),
    whole(untilMs),
    text(approvalId),
    whole(bulk),
  ];
  // From the rows of their owners: a thousand rows of values are as many parameters, each of which costs.
  return yield* all(
    db
      .insertInto('suspensions')
      .columns(owned as (keyof Tables['suspensions'])[])
      .expression(
        (of) =>
          of
            .selectFrom(`${owner}s`)
            .select('ordinal')
            .select(sql.join(given) as never)
            .where('ordinal', 'in', ordinals) as never,
      )
      .returningAll(),
  );
}

export function* closeSuspensions(rows: readonly SuspensionRow[], by: By): Steps<void> {
  if (rows.length === 0) return;
  const ordinals = rows.map(({ ordinal }) => ordinal);
  yield* run(
    db
      .updateTable('suspensions')
      .set({ closed_at_ms: by.atMs, closed_by: by.actor })
      .where('ordinal', 'in', ordinals)
      .where('closed_at_ms', 'is', null),
  );
}

/**
 * Whether what the row of a program or client shows as its reason is that of an open suspension. A version that knew no rows may have
 * suspended it since: that suspension has none, and lasts until all is reactivated.
 */
export function isAccountedFor(shown: string | null, open: readonly SuspensionRow[]): boolean {
  return shown === null || open.some(({ reason }) => reason === shown);
}

/** The reactivation that is asked for once more; or, where none is known by its name, the newest change, which covers it. */
export function* earlierReactivation(kind: string, target: string): Steps<Committed> {
  const earlier = yield* earlierChange(kind, target);
  return earlier.sequence === 0 ? yield* newestChange() : earlier;
}

function isSame(row: SuspensionRow, asked: NewSuspension): boolean {
  return row.reason === asked.reason && row.until_ms === (asked.untilMs ?? null);
}

/** The change that opened it: looked up by what it was about, which a change of many has not. */
function* openedBy(row: SuspensionRow, of: Suspendable): Steps<Committed> {
  if (row.bulk === 1) return yield* newestChange();
  return yield* earlierChange(`${of.owner}.suspend`, of.target);
}

function suspendedAgain({ target }: Suspendable, { ordinal, reason }: SuspensionRow) {
  return new ChangeRefused(
    'conflict',
    `${target} was suspended again meanwhile (${suspensionId(ordinal)}: ${reason}); look again, and reactivate it if that is right`,
  );
}
