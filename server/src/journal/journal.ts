/**
 * The journal's side on the event loop: collects the tokens of requests that arrive together, hands them over as one
 * batch while the next one collects, and settles what waits. Refuses to know what a file is.
 */

import type { Clock } from '../ports/clock.ts';
import type { IssuedToken, Journal } from '../ports/journal.ts';
import { StoreUnavailable } from '../ports/store.ts';
import {
  type Batch,
  fitsRecord,
  growBatch,
  newBatchBuffer,
  sealBatch,
  viewBatch,
  writeRecord,
} from './batch.ts';
import type { Synchronous } from './bucket-database.ts';
import { assertNameable, BUCKET_MS, RETENTION_MS } from './bucket-files.ts';
import { type Committer, startCommitter } from './committer.ts';

/** How many tokens may wait for the batch in flight; at the rates of one process, well below a second's worth. */
export const QUEUE_TOKENS_MAX = 16_384;

/** After this time without an answer the disk counts as stalled, and who waits is told so. */
const COMMIT_WAIT_MS_MAX = 10_000;

export type JournalOptions = {
  readonly directory: string;
  /** Name that no other living process uses with this folder: its buckets have one writer. */
  readonly slot: string;
  readonly clock?: Pick<Clock, 'wallMs'>;
  readonly bucketMs?: number;
  readonly retentionMs?: number;
  readonly commitWaitMs?: number;
  /** Told when an old bucket could not be closed or dropped, or the thread ended; no token is lost by that. */
  readonly onTrouble?: (message: string) => void;
  /** For the negative controls of the durability tests: 'OFF' commits without an fsync. */
  readonly synchronous?: Synchronous;
  /** For the negative controls of the durability tests: answers first and commits seconds later. */
  readonly answerBeforeCommit?: boolean;
};

/** A journal that counts what it has committed: tokens over batches is how well grouping works. */
export type CountingJournal = Journal & {
  readonly counts: { readonly tokens: number; readonly batches: number };
};

type Waiting = {
  batch: Batch;
  count: number;
  /** One promise for all of a batch: it is committed whole or not at all, and an append allocates nothing. */
  readonly committed: PromiseWithResolvers<void>;
};

type State = {
  readonly committer: Committer;
  readonly wallMs: () => number;
  readonly commitWaitMs: number;
  readonly counts: { tokens: number; batches: number };
  collecting: Waiting;
  inFlight: Waiting | undefined;
  /** The buffer that came back with the last answer, for the batch after next. */
  spare: ArrayBuffer | undefined;
  deadline: NodeJS.Timeout | undefined;
  closing: Promise<void> | undefined;
  isScheduled: boolean;
  isStalled: boolean;
};

/** Opens the journal of one slot. Rejects with `StoreUnavailable` when its folder cannot be used. */
export async function openJournal(options: JournalOptions): Promise<CountingJournal> {
  const { directory, slot, bucketMs = BUCKET_MS, retentionMs = RETENTION_MS } = options;
  const { synchronous = 'FULL', answerBeforeCommit = false, clock } = options;
  const wallMs = clock === undefined ? Date.now : () => clock.wallMs();
  assertNameable(slot, bucketMs);
  const nowMs = wallMs();
  const committer = await startCommitter({
    data: { directory, slot, bucketMs, retentionMs, nowMs, synchronous, answerBeforeCommit },
    onAnswer: (failure, buffer) => settle(state, failure, buffer),
    onTrouble: options.onTrouble ?? (() => {}),
  });
  const state: State = {
    committer,
    wallMs,
    commitWaitMs: options.commitWaitMs ?? COMMIT_WAIT_MS_MAX,
    counts: { tokens: 0, batches: 0 },
    collecting: startCollecting(undefined),
    inFlight: undefined,
    spare: undefined,
    deadline: undefined,
    closing: undefined,
    isScheduled: false,
    isStalled: false,
  };
  return {
    counts: state.counts,
    append: (token) => append(state, token),
    close() {
      state.closing ??= close(state);
      return state.closing;
    },
  };
}

function append(state: State, token: IssuedToken): Promise<void> {
  const obstacle = obstacleTo(state);
  if (obstacle !== undefined) return Promise.reject(new StoreUnavailable(obstacle));
  if (!fitsRecord(token)) return Promise.reject(new RangeError('a field exceeds its column'));
  const { collecting } = state;
  if (collecting.count === collecting.batch.capacity)
    collecting.batch = growBatch(collecting.batch);
  writeRecord(collecting.batch, collecting.count, token);
  collecting.count += 1;
  if (state.inFlight === undefined && !state.isScheduled) {
    state.isScheduled = true;
    // Behind what is being decided together (http/turns.ts), so that all of it travels together and none of it waits for a turn.
    queueMicrotask(() => send(state));
  }
  return collecting.committed.promise;
}

function obstacleTo(state: State): string | undefined {
  if (state.closing !== undefined) return 'the journal is closed';
  if (state.isStalled) return 'the journal waits for a commit that does not return';
  if (state.collecting.count >= QUEUE_TOKENS_MAX) return 'the journal has too many tokens waiting';
  return undefined;
}

function startCollecting(buffer: ArrayBuffer | undefined): Waiting {
  return {
    batch: viewBatch(buffer ?? newBatchBuffer()),
    count: 0,
    committed: Promise.withResolvers(),
  };
}

function send(state: State): void {
  state.isScheduled = false;
  const { collecting } = state;
  if (state.inFlight !== undefined || collecting.count === 0) return;
  state.collecting = startCollecting(state.spare);
  state.spare = undefined;
  sealBatch(collecting.batch, collecting.count, state.wallMs());
  if (!state.committer.send(collecting.batch.buffer)) {
    fail(collecting, 'the journal thread has ended');
    return;
  }
  state.inFlight = collecting;
  // Also what keeps the process alive while somebody waits.
  state.deadline = setTimeout(stall, state.commitWaitMs, state);
}

/** The answer to the batch in flight; the next batch leaves before those who waited for this one run on. */
function settle(state: State, failure: string | undefined, buffer: ArrayBuffer | undefined): void {
  clearTimeout(state.deadline);
  const settled = state.inFlight;
  state.inFlight = undefined;
  state.isStalled = false;
  state.spare = buffer;
  send(state);
  if (settled === undefined) return;
  if (failure !== undefined) {
    fail(settled, failure);
    return;
  }
  state.counts.tokens += settled.count;
  state.counts.batches += 1;
  settled.committed.resolve();
}

/** Whoever waits is told so; the batch may still be committed later, which leaves a record of a token nobody has. */
function stall(state: State): void {
  const { inFlight, collecting } = state;
  state.isStalled = true;
  state.collecting = startCollecting(undefined);
  if (inFlight !== undefined) fail(inFlight, 'a commit did not return in time');
  fail(collecting, 'a commit did not return in time');
}

function fail(waiting: Waiting, reason: string): void {
  // Nobody holds the promise of an empty batch, and a rejection that nobody handles ends the process.
  if (waiting.count > 0) waiting.committed.reject(new StoreUnavailable(`not journaled: ${reason}`));
}

async function close(state: State): Promise<void> {
  send(state);
  while (state.inFlight !== undefined && !state.isStalled) {
    await state.inFlight.committed.promise.catch(() => {});
  }
  await state.committer.stop();
}
