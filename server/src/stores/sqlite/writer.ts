/** The main thread's end of the writer thread: asks for writes by name and gets their answers, or an outage. */

import { Worker } from 'node:worker_threads';
import { ChangeRefused, type RefusalCode, StoreUnavailable } from '../../ports/store.ts';
import { type Promised, promised } from '../sql/promised.ts';
import { WRITES } from '../sql/writes.ts';
import type { OwnWrites, WorkerOptions, WriteReply, WriteRequest } from './store-worker.ts';

/** Writes waiting at a time; operators are few, so a longer queue means that the disk has stopped. */
const WAITING_WRITES_MAX = 1_000;

/** Operators are slow: a young generation of the usual size would be memory that nothing needs. */
const YOUNG_MIB_MAX = 2;

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void };
type Own = Promised<OwnWrites>;

export type Writer = {
  write<Name extends keyof Own>(name: Name, ...args: Parameters<Own[Name]>): ReturnType<Own[Name]>;
  /** The writes of one port. */
  port<Name extends keyof typeof WRITES>(port: Name): Promised<(typeof WRITES)[Name]>;
  close(): Promise<void>;
};

export function startWriter(options: WorkerOptions): Writer {
  const worker = new Worker(new URL('./store-worker.ts', import.meta.url), {
    workerData: options,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB_MAX },
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= new StoreUnavailable(`the writer thread has stopped: ${error.message}`);
    for (const write of waiting.values()) write.reject(failure);
    waiting.clear();
  };
  worker.on('error', (error: Error) => fail(error));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail(new Error('it was closed'));
      resolve();
    });
  });
  worker.on('message', (reply: WriteReply) => {
    const write = waiting.get(reply.id);
    waiting.delete(reply.id);
    // An idle writer keeps no process alive.
    if (waiting.size === 0) worker.unref();
    if ('error' in reply) write?.reject(errorOf(reply.error));
    else write?.resolve(reply.value as never);
  });
  worker.unref();
  const send = (request: Omit<WriteRequest, 'id'>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      if (waiting.size >= WAITING_WRITES_MAX) {
        return reject(new StoreUnavailable('too many writes are waiting for the disk'));
      }
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...request, id: lastId });
    });
  return {
    write: (name, ...args) => send({ table: 'own', name, args }) as ReturnType<Own[typeof name]>,
    port: (table) => promised(WRITES[table], ({ name, args }) => send({ table, name, args })),
    close: () => {
      worker.ref();
      worker.postMessage('close');
      return exited;
    },
  };
}

function errorOf(error: { name: string; message: string; code?: string }): Error {
  if (error.name === 'ChangeRefused') {
    return new ChangeRefused(error.code as RefusalCode, error.message);
  }
  if (error.name === 'StoreUnavailable') return new StoreUnavailable(error.message);
  return new Error(`the store failed: ${error.message}`);
}
