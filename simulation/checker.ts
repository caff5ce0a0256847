/**
 * Holds a history against its promises and tells which are broken. It sees requests from outside, commits at the store,
 * and what each replica applies; it asks a node whether it may decide only when a receipt is there.
 */

import type { Committed } from '../server/src/ports/store.ts';
import type { Receipt } from '../server/src/replica/receipt.ts';
import type { Replica } from '../server/src/replica/replica.ts';
import type { Machine } from './machine.ts';
import type { Decision, Node } from './node.ts';
import type { Store, Witness } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import { isActiveIn, isLiveIn, type Kill, newTruth, type Token, type Truth } from './truth.ts';

export type Rule =
  /** Accepted in a request that began after the receipt of what killed it. */
  | 'accepted after its receipt'
  /** Alive again: after its reactivation, or at a node that had called it revoked. */
  | 'killed and revived'
  /** A node may decide, and has not got the change that a receipt says everybody has. */
  | 'receipt came too early'
  /** Decided while the lease of the node had run out, by the node's own clock. */
  | 'decided without a lease'
  /** Its row was taken away while a lease of it ran: later receipts do not know of it. */
  | 'written off too early'
  /** Killed for two polls and still accepted by a node that is well. */
  | 'accepted though dead'
  | 'refused though live'
  | 'does not decide again'
  | 'receipt came late'
  /** The replica skipped a change, mixed two histories or went back. */
  | 'log not followed';

/** Causes of harm rather than harm: a history goes on, to see what comes of it. */
const INSIDE: ReadonlySet<Rule> = new Set([
  'decided without a lease',
  'written off too early',
  'log not followed',
]);

export type Violation = { readonly rule: Rule; readonly atMs: number; readonly what: string };

export type Timing = {
  readonly pollIntervalMs: number;
  readonly leaseMsMax: number;
  readonly deadlineMs: number;
};

/** The slowest round trip of a network that is well, both ways and a little over. */
const ROUND_TRIP_MS = 20;
const RATE_MARGIN = 0.01;
const MARGIN_MS = 1_000;
/** Somebody who waits and has just failed asks again within this. */
const RETRY_MS = 500;

export type Health = {
  /** Since when nothing disturbs the node, its way to the store, and the store; undefined: something does. */
  wellSinceMs(of: Machine): number | undefined;
  /** Since when the store answers everybody. */
  storeWellSinceMs(): number | undefined;
};

export type Checker = {
  /** The first of each rule, in the order in which they were broken. */
  readonly violations: readonly Violation[];
  /** Whether a promise is broken that somebody outside can see: there is no point in going on. */
  readonly isOver: boolean;
  readonly truth: Truth;
  readonly witness: Witness;
  /** How long a node may take to decide again once it is left alone. */
  recoveryMs(node: Pick<Node, 'leaseMs'>): number;
  /** How old a change is at most before a node that is well has applied it. */
  readonly settleMs: number;
  isWell(node: Node): boolean;
  decided(node: Node, token: Token, seen: { decision: Decision; begunMs: number }): void;
  issued(node: Node, to: Credentials, seen: { text: string | undefined; begunMs: number }): void;
  receipt(receipt: Receipt, of: Awaited): void;
  watch(replica: Replica, machine: Machine): Replica;
  fail(rule: Rule, what: string): void;
};

/** What a receipt was awaited for, and the nodes that run when it is there. */
export type Awaited = {
  readonly commit: Committed;
  readonly committedMs: number;
  readonly waiter: Machine;
  readonly nodes: readonly Node[];
};

export type Credentials = {
  readonly clientId: string;
  readonly client: number;
  readonly secretId: string;
  readonly secretOrdinal: number;
  readonly secret: string;
};

type Parts = {
  readonly timeline: Timeline;
  readonly store: () => Store;
  readonly timing: Timing;
  readonly health: Health;
  readonly trace: Trace;
};

export function newChecker(parts: Parts): Checker {
  const { timeline, timing, health, trace } = parts;
  const primary = () => parts.store().primary;
  const truth = newTruth(primary);
  const renewedFromMs = new Map<Machine, number>();
  /** The same by simulated time, for machines whose own clock may stand still. */
  const leasedFromMs = new Map<Machine, number>();
  const settleMs = 2 * timing.pollIntervalMs * (1 + RATE_MARGIN) + 2 * ROUND_TRIP_MS;
  const violations: Violation[] = [];

  const fail = (rule: Rule, what: string): void => {
    if (violations.some((known) => known.rule === rule)) return;
    violations.push({ rule, atMs: Math.round(timeline.nowMs), what });
  };
  const recoveryMs: Checker['recoveryMs'] = ({ leaseMs }) =>
    // A request of before hangs until the deadline; then it may take three renewals to be registered, loaded and renewed.
    (2 * timing.deadlineMs + leaseMs / 2) * (1 + RATE_MARGIN) + settleMs + 10 * ROUND_TRIP_MS;
  const isWell = (node: Node): boolean => {
    const sinceMs = health.wellSinceMs(node.machine);
    return sinceMs !== undefined && timeline.nowMs - sinceMs >= recoveryMs(node);
  };
  const isSettled = (client: number, program: number): boolean =>
    timeline.nowMs - truth.touchedMs(client, program) >= settleMs;

  /** Every decision that grants something stands on a renewal that was sent less than a lease ago. */
  const checkLease = (node: Node): void => {
    const ageMs = node.machine.clock.monotonicMs() - (renewedFromMs.get(node.machine) ?? -Infinity);
    if (ageMs >= node.leaseMs) {
      fail('decided without a lease', `${node.name} by a renewal ${Math.round(ageMs)} ms old`);
    }
  };

  const checkAccepted = (node: Node, token: Token, begunMs: number): void => {
    checkLease(node);
    if (token.isOrphan) return;
    const about = `${token.jti} of client ${token.claims.client} at ${node.name}`;
    for (const kill of token.kills) {
      if (kill.isLost || kill.receiptMs === undefined || begunMs < kill.receiptMs) continue;
      const rule = kill.ended === undefined ? 'accepted after its receipt' : 'killed and revived';
      fail(rule, `${about}, killed by change ${kill.sequence} (${kill.kind})`);
      return;
    }
    const kill = standingKill(truth.kills, token, begunMs);
    if (kill !== undefined) fail('accepted after its receipt', `${about}, against ${kill.kind}`);
    if (token.refusedBy.has(node.name)) fail('killed and revived', `${about}, by itself`);
    const isDead = !isLiveIn(primary(), token) && isSettled(token.claims.client, token.program);
    if (isDead && isWell(node)) fail('accepted though dead', about);
  };

  const checkRefused = (node: Node, token: Token, why: string): void => {
    if (token.isOrphan) return;
    if (why === 'revoked') token.refusedBy.add(node.name);
    if (why === 'expired' || !isLiveIn(primary(), token)) return;
    // To call it dead is wrong at any time, whatever the node has missed; not to know is wrong only for a node that is well.
    const isCalledDead = why === 'revoked' && !token.kills.some(({ isLost }) => isLost);
    if (isCalledDead || (isWell(node) && isSettled(token.claims.client, token.program))) {
      fail('refused though live', `${token.jti} at ${node.name}: ${why}`);
    }
  };

  return {
    violations,
    get isOver() {
      return violations.some(({ rule }) => !INSIDE.has(rule));
    },
    truth,
    settleMs,
    recoveryMs,
    isWell,
    fail,
    witness: {
      committed: (change) => {
        trace.note(`commit ${change.sequence} ${change.kind} ${change.target}`, timeline.nowMs);
        truth.committed(change, timeline.nowMs);
      },
      lost: (after) => truth.lost(after, primary()),
      renewed: (machine, { localMs, trueMs }) => {
        renewedFromMs.set(machine, Math.max(localMs, renewedFromMs.get(machine) ?? localMs));
        leasedFromMs.set(machine, Math.max(trueMs, leasedFromMs.get(machine) ?? trueMs));
      },
      writtenOff: (machine, { node, leaseMs }) => {
        const ageMs = timeline.nowMs - (leasedFromMs.get(machine) ?? -Infinity);
        if (!machine.isAlive || ageMs >= machine.lasting(leaseMs)) return;
        fail('written off too early', `${node} by a renewal ${Math.round(ageMs)} ms old`);
      },
      registry: (what) => trace.note(what, timeline.nowMs),
    },
    decided: (node, token, { decision, begunMs }) => {
      const outcome = 'standing' in decision ? decision.standing : decision.reason;
      trace.note(`${node.name} ${token.jti} ${outcome}`, timeline.nowMs);
      if (outcome === 'live') checkAccepted(node, token, begunMs);
      else checkRefused(node, token, outcome);
    },
    issued: (node, to, { text, begunMs }) => {
      trace.note(
        `${node.name} ${to.secretId} ${text === undefined ? 'no' : 'token'}`,
        timeline.nowMs,
      );
      if (text === undefined) {
        const isLive = isLiveSecret(parts.store(), to) && isActiveIn(primary(), to.client);
        const program = primary().clients.get(to.client)?.program ?? 0;
        const touchedMs = truth.touchedMs(to.client, program);
        if (isLive && isWell(node) && begunMs - touchedMs >= settleMs) {
          fail('refused though live', `${to.secretId} of client ${to.client} at ${node.name}`);
        }
        return;
      }
      checkLease(node);
      const token = truth.issued(text, node.replica.position.changeId);
      if (token.isOrphan) return;
      const kill = truth.kills.find(
        (one) =>
          one.secret === to.secretOrdinal && !one.isLost && begunMs >= (one.receiptMs ?? Infinity),
      );
      if (kill !== undefined || standingKill(truth.kills, token, begunMs) !== undefined) {
        fail('accepted after its receipt', `${to.secretId} for a new token at ${node.name}`);
      }
    },
    receipt: (receipt, of) => {
      trace.note(`receipt ${receipt.sequence} ${JSON.stringify(receipt.fenced)}`, timeline.nowMs);
      if (!truth.isLost(of.commit.changeId)) {
        checkPromptness(receipt, of);
        for (const node of of.nodes) checkHas(node, of.commit);
      }
      truth.acknowledged(of.commit.changeId, timeline.nowMs);
    },
    watch: (replica, machine) => watched(replica, { truth, fail, machine, store: parts.store }),
  };

  function checkHas(node: Node, { sequence, changeId }: Committed): void {
    const { position } = node.replica;
    if (!node.mayDecide() || truth.isUpon(position.changeId, changeId)) return;
    fail('receipt came too early', `change ${sequence}; ${node.name} is at ${position.sequence}`);
  }

  function checkPromptness(receipt: Receipt, { committedMs, waiter }: Awaited): void {
    const wellSinceMs = health.wellSinceMs(waiter);
    const storeSinceMs = health.storeWellSinceMs();
    if (wellSinceMs === undefined || storeSinceMs === undefined) return;
    const fromMs = Math.max(committedMs, wellSinceMs, storeSinceMs);
    // A question of before hangs until the deadline.
    const hangingMs = fromMs > committedMs ? timing.deadlineMs * (1 + RATE_MARGIN) + RETRY_MS : 0;
    // By the waiter's own clock, counted from the first answer to the last question.
    const patienceMs = (timing.leaseMsMax * (1 + RATE_MARGIN) + MARGIN_MS) / (1 - RATE_MARGIN);
    const limitMs = patienceMs + hangingMs + 3 * ROUND_TRIP_MS;
    const tookMs = timeline.nowMs - fromMs;
    if (tookMs > limitMs) {
      fail('receipt came late', `change ${receipt.sequence} took ${Math.round(tookMs)} ms`);
    }
  }
}

/** A kill with a receipt that stands at this moment and that even a token made later would break. */
function standingKill(kills: readonly Kill[], token: Token, begunMs: number): Kill | undefined {
  return kills.find(
    (kill) =>
      kill.killsTokens &&
      !kill.isLost &&
      kill.ended === undefined &&
      kill.receiptMs !== undefined &&
      begunMs >= kill.receiptMs &&
      (kill.program === token.program ||
        kill.client === token.claims.client ||
        kill.secret === token.claims.secret),
  );
}

function isLiveSecret({ primary }: Store, { secretId }: Credentials): boolean {
  return [...primary.secrets.values()].some((row) => row.secretId === secretId && !row.revoked);
}

type Watching = {
  readonly truth: Truth;
  readonly fail: Checker['fail'];
  readonly machine: Machine;
  readonly store: () => Store;
};

/** The same replica, each step of it held against the log as it really is. */
function watched(replica: Replica, { truth, fail, machine, store }: Watching): Replica {
  const take: Replica['take'] = (poll, asked) => {
    const before = replica.position;
    const outcome = replica.take(poll, asked);
    const after = replica.position;
    let [at, known] = [before.sequence, before.changeId];
    for (const { sequence, changeId } of poll.changes) {
      if (sequence <= before.sequence || sequence > after.sequence) continue;
      if (sequence !== at + 1 || truth.change(changeId)?.upon !== known) {
        fail('log not followed', `${machine.name} went from ${at} to ${sequence}`);
      }
      [at, known] = [sequence, changeId];
    }
    if (at !== after.sequence) fail('log not followed', `${machine.name} is at ${after.sequence}`);
    return outcome;
  };
  const load: Replica['load'] = (snapshot) => {
    const before = replica.position;
    replica.load(snapshot);
    const { incarnation, sequence } = replica.position;
    const isSame = incarnation === before.incarnation && !truth.isLost(before.changeId);
    if (isSame && sequence < before.sequence && !store().hasOldPrimary) {
      fail('log not followed', `${machine.name} went back from ${before.sequence} to ${sequence}`);
    }
  };
  return Object.assign(Object.create(replica) as Replica, { take, load });
}
