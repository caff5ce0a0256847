/** The life of the committing thread, seen from the event loop: start, hand over, restart, stop. Knows nothing of tokens. */

import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../ports/store.ts';
import type { JournalAnswer, JournalWorkerData } from './journal-worker.ts';

/** How often in a row the thread is started again without having committed anything in between. */
const RESTARTS_MAX = 3;

export type Committer = {
  /** Hands a batch over, buffer and all. False: there is no thread any more. */
  send(buffer: ArrayBuffer): boolean;
  /** Lets the thread finish what it has, then ends it. */
  stop(): Promise<void>;
};

export type CommitterOptions = {
  readonly data: JournalWorkerData;
  /** The batch in flight is on disk, or failed for the reason given; its buffer comes back unless the thread died. */
  readonly onAnswer: (failure: string | undefined, buffer: ArrayBuffer | undefined) => void;
  readonly onTrouble: (message: string) => void;
};

type State = {
  readonly options: CommitterOptions;
  readonly started: PromiseWithResolvers<void>;
  readonly stopped: PromiseWithResolvers<void>;
  worker: Worker | undefined;
  cause: string;
  restarts: number;
  isStarted: boolean;
  isStopping: boolean;
};

/** Starts the thread; rejects with `StoreUnavailable` when it finds its folder unusable. */
export async function startCommitter(options: CommitterOptions): Promise<Committer> {
  const state: State = {
    options,
    started: Promise.withResolvers(),
    stopped: Promise.withResolvers(),
    worker: undefined,
    cause: 'no reason given',
    restarts: 0,
    isStarted: false,
    isStopping: false,
  };
  launch(state);
  await state.started.promise;
  return {
    send(buffer) {
      state.worker?.postMessage(buffer, [buffer]);
      return state.worker !== undefined;
    },
    stop() {
      state.isStopping = true;
      if (state.worker === undefined) state.stopped.resolve();
      state.worker?.ref();
      state.worker?.postMessage('close');
      return state.stopped.promise;
    },
  };
}

function launch(state: State): void {
  const worker = new Worker(new URL('./journal-worker.ts', import.meta.url), {
    workerData: state.options.data,
  });
  worker.on('message', (answer: JournalAnswer) => receive(state, worker, answer));
  worker.on('error', (error) => {
    state.cause = String(error);
  });
  worker.on('exit', () => exited(state));
  state.worker = worker;
}

function receive(state: State, worker: Worker, answer: JournalAnswer): void {
  if (answer instanceof ArrayBuffer) {
    state.restarts = 0;
    state.options.onAnswer(undefined, answer);
  } else if (answer.is === 'failed') {
    state.options.onAnswer(answer.message, answer.buffer);
  } else if (answer.is === 'trouble') {
    state.options.onTrouble(answer.message);
  } else if (answer.is === 'unusable') {
    state.cause = answer.message;
  } else {
    state.isStarted = true;
    // From now on the thread keeps the process alive only while somebody waits for it.
    worker.unref();
    state.started.resolve();
  }
}

function exited(state: State): void {
  state.worker = undefined;
  if (!state.isStarted) {
    state.started.reject(new StoreUnavailable(`the journal cannot be opened: ${state.cause}`));
    return;
  }
  if (state.isStopping) {
    state.stopped.resolve();
    return;
  }
  const failure = `the journal thread has ended: ${state.cause}`;
  state.options.onTrouble(failure);
  if (state.restarts < RESTARTS_MAX) {
    state.restarts += 1;
    launch(state);
  }
  state.options.onAnswer(failure, undefined);
}
