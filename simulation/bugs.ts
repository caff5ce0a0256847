/** Bugs that the checker must catch, each switched on by its name: a part handed in, or a copy of a source file with the bug in it. */

import { NO_FLAWS, REAL_CODE } from './code.ts';
import type { StoreFlaws } from './commit.ts';
import { mutated, type Replacement } from './mutation.ts';
import type { Code, Seams } from './node.ts';

export type Subject = { readonly code: Code; readonly flaws: StoreFlaws };
export type Bug = { readonly is: string; readonly subject: () => Promise<Subject> };

const asItIs: Subject = { code: REAL_CODE, flaws: NO_FLAWS };

const inSeams = (is: string, seams: Partial<Seams>): Bug => ({
  is,
  subject: () =>
    Promise.resolve({
      ...asItIs,
      code: { ...REAL_CODE, seams: { ...REAL_CODE.seams, ...seams } },
    }),
});

const inStore = (is: string, flaws: Partial<StoreFlaws>): Bug => ({
  is,
  subject: () => Promise.resolve({ ...asItIs, flaws: { ...NO_FLAWS, ...flaws } }),
});

type File = 'follower' | 'receipt' | 'replica' | 'credentials-cache' | 'standing';

const inFile = (is: string, file: File, ...replacements: readonly Replacement[]): Bug => ({
  is,
  subject: async () => ({
    ...asItIs,
    code: { ...REAL_CODE, ...(await altered(file, replacements)) },
  }),
});

const altered = (file: File, replacements: readonly Replacement[]): Promise<Partial<Code>> =>
  mutated<Partial<Code>>(
    new URL(`../server/src/replica/${file}.ts`, import.meta.url),
    replacements,
  );

const NO_GAP_CHECK: Replacement = {
  from: 'if (change.sequence !== position.sequence + 1) {',
  to: 'if (change.sequence < 0) {',
};

/** Each is caught within a thousand histories: the tests see to it. */
export const BUGS: Readonly<Record<string, Bug>> = {
  'no-lease-check': inSeams('a node decides whether it holds a lease or not', {
    follower: (follower) => ({ ...follower, mayDecide: () => true }),
  }),
  'lease-checked-before-load': inSeams(
    'the lease is checked when a request begins, not when it is decided',
    {
      request: (authority) => {
        const mayDecide = authority.follower.mayDecide();
        return { ...authority, follower: { ...authority.follower, mayDecide: () => mayDecide } };
      },
    },
  ),
  'poll-extends-lease': inFile(
    'a poll that only reads extends the lease',
    'follower',
    {
      from: 'const asked = replica.position; const askedEpoch = epoch;',
      to: 'const sentMs = lease.read(now()); const asked = replica.position; const askedEpoch = epoch;',
    },
    {
      from: "return outcome === 'current';",
      to: "if (outcome === 'current') lease.renewed(sentMs); return outcome === 'current';",
    },
  ),
  'lease-from-reply': inFile('the lease is counted from the reply of the renewal', 'follower', {
    from: 'if (current) lease.renewed(sentMs);',
    to: 'if (current) lease.renewed(Math.max(sentMs, lease.read(now())));',
  }),
  'no-polling-floor': inSeams('a node reads the log only when it is woken or renews', {
    pollIntervalMs: 1e9,
  }),
  'sequence-gaps': {
    is: 'numbers are given out before the commit, as by a serial column, and nobody minds a gap',
    subject: async () => ({
      code: { ...REAL_CODE, ...(await altered('replica', [NO_GAP_CHECK])) },
      flaws: { ...NO_FLAWS, numbersBeforeCommit: true },
    }),
  },
  'cache-not-invalidated': inSeams(
    'the credentials of a client stay cached when the log says it changed',
    {
      forgetsCredentials: false,
    },
  ),
  'raced-load-kept': inFile(
    'a load that raced with an invalidation is kept',
    'credentials-cache',
    {
      from: 'if (ticket.stale || isForeign || head < applied.sequence) continue;',
      to: 'if (isForeign) continue;',
    },
    { from: 'if (ticket.stale || deps.changeIdAt(head) !== changeId) continue;', to: '' },
  ),
  'flag-without-bump': inStore('a suspension sets its flag and raises no generation', {
    suspendsWithoutBump: true,
  }),
  'polls-before-row': inFile(
    'a node that starts or returns polls before its row is live',
    'follower',
    {
      from: 'isRegistered = true; await renew();',
      to: 'isRegistered = true; if (caughtUp) lease.renewed(early); else await renew();',
    },
    {
      from: 'const { version, listen, process } = deps.node;',
      to: 'const early = lease.read(now()); const caughtUp = await ask(({ sequence }) => log.poll(sequence)); const { version, listen, process } = deps.node;',
    },
  ),
  'own-lease': inSeams(
    'whoever waits for a receipt waits by its own lease, not by that of the row',
    {
      waiter: (nodes, leaseMs) => ({
        ...nodes,
        listAfter: async (change) =>
          (await nodes.listAfter(change))?.map((row) => ({ ...row, leaseMs })),
      }),
    },
  ),
  'reused-numbers': inFile(
    'a number that a lossy failover gave out again passes for the one that was known',
    'replica',
    {
      from: 'poll.changeIdAtAfter === asked.changeId',
      to: 'true',
    },
    {
      from: 'if (overlap !== undefined && overlap.changeId !== position.changeId)',
      to: 'if (overlap === null)',
    },
  ),
};

/** Of receipts by time alone. */
export const RECEIPT_BUGS: Readonly<Record<string, Bug>> = {
  'waits-for-confirmation': inFile(
    'a node whose row renews is waited for until it confirms',
    'receipt',
    { from: 'return look.askedMs - look.knownMs >= patienceMs;', to: 'return false;' },
  ),
  'time-without-margin': inFile(
    'whoever waits counts a lease without a margin for clocks of another rate',
    'receipt',
    {
      from: 'writeOffAfterMs(row.leaseMs)',
      to: 'row.leaseMs',
    },
  ),
  'time-takes-the-row': inFile(
    'a node that is counted out by time alone loses its row, though it may hold a lease',
    'receipt',
    {
      from: 'const isGone = isSilent ||',
      to: 'const isGone = isSilent || look.askedMs - look.knownMs >= patienceMs ||',
    },
  ),
  'renewal-reads-elsewhere': inFile(
    'the poll that a renewal extends the lease by is not of its own transaction',
    'follower',
    {
      from: 'return renewal ?? (await log.poll(after.sequence));',
      to: 'return await log.poll(after.sequence);',
    },
  ),
  'extends-before-applying': inFile(
    'a renewal extends the lease before all that it brought is applied',
    'follower',
    {
      from: 'if (current) lease.renewed(sentMs); else await poll();',
      to: 'lease.renewed(sentMs); if (!current) await poll();',
    },
  ),
  'list-from-anybody': inSeams(
    'whoever waits for a receipt believes any store about the nodes that there are',
    { waiter: (nodes) => ({ ...nodes, listAfter: () => nodes.list() }) },
  ),
  'receipt-by-number': inStore(
    'a store that gave the number of a change to another one tells the nodes for it',
    { knowsByNumber: true },
  ),
  'counter-by-one': inStore(
    'a renewal counts by one, so that a counter that a failover set back comes to what was seen before',
    { countsRenewals: true },
  ),
};

/** It takes many thousands of histories to meet one of these. */
export const RARE_BUGS: Readonly<Record<string, Bug>> = {
  'load-by-number': inFile(
    'credentials loaded from a history that a failover has ended are kept when their number fits',
    'credentials-cache',
    { from: '|| deps.changeIdAt(head) !== changeId', to: '' },
  ),
  'silence-from-outside': inFile(
    'a silence is counted from before the question that first saw the counter',
    'receipt',
    {
      from: '{ renewals, sinceMs: look.nowMs }',
      to: '{ renewals, sinceMs: look.askedMs }',
    },
  ),
  'lease-ends-before-load': inFile(
    'the lease ends when a snapshot is asked for, and not when it arrives',
    'follower',
    {
      from: 'decideNoMore(); replica.load(snapshot);',
      to: 'epoch += 1; acknowledged = 0; replica.load(snapshot);',
    },
    {
      from: 'const reload = async (): Promise<void> => { decideNoMore();',
      to: 'const reload = async (): Promise<void> => { lease.end();',
    },
  ),
  'forgets-by-wall-clock': inFile('a node forgets kills by its wall clock', 'follower', {
    from: 'replica.forget(clock.monotonicMs());',
    to: 'replica.forget(clock.wallMs());',
  }),
};

export const ALL_BUGS = { ...BUGS, ...RECEIPT_BUGS, ...RARE_BUGS };

/** What a history runs on: the real code, or the code with one bug. Throws for a name that is none. */
export function subjectOf(bug: string | undefined): Promise<Subject> {
  if (bug === undefined) return Promise.resolve(asItIs);
  const known = ALL_BUGS[bug];
  if (known === undefined) {
    const names = Object.keys(ALL_BUGS).join(', ');
    throw new RangeError(`there is no bug "${bug}"; there are: ${names}`);
  }
  return known.subject();
}
