/** The writer thread of the main database: one write transaction after another, off the event loop. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Command } from '../../ports/store.ts';
import { acknowledgeNode, fenceNode, leaveNode, registerNode, renewNode } from '../sql/nodes.ts';
import type { MethodTable } from '../sql/promised.ts';
import type { Steps } from '../sql/schema.ts';
import { WRITES } from '../sql/writes.ts';
import { appendAudit, commit, initialise } from './append.ts';
import { connectWriter } from './connect.ts';
import { executorOf } from './executor.ts';

/** What this engine ends in its own way. */
export type OwnWrites = typeof OWN;
const OWN = {
  initialise,
  commit,
  appendAudit,
  registerNode,
  renewNode,
  acknowledgeNode,
  leaveNode,
  fenceNode,
};
/** What may be asked of this thread. */
const TABLES = { own: OWN, ...WRITES };

export type WriteRequest = {
  readonly id: number;
  readonly table: keyof typeof TABLES;
  readonly name: string;
  readonly args: readonly unknown[];
};
export type WriteReply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly error: { readonly name: string; readonly message: string; readonly code?: string };
    };
export type WorkerOptions = { readonly path: string; readonly synchronous: 'FULL' | 'OFF' };

if (parentPort !== null) {
  const port = parentPort;
  const { path, synchronous } = workerData as WorkerOptions;
  const connection = connectWriter(path, synchronous);
  const executor = executorOf(connection);
  port.on('message', (request: WriteRequest | 'close') => {
    if (request === 'close') {
      connection.close();
      port.close();
      return;
    }
    const reply = answer(executor, request);
    if (request.name === 'commit' && (request.args[0] as Command).change.kind === 'key.rewrap') {
      // Until its pages are in their place, the file holds the keys as they were wrapped before.
      connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
    port.postMessage(reply);
  });
}

function answer(executor: ReturnType<typeof executorOf>, request: WriteRequest): WriteReply {
  const { id, table, name, args } = request;
  const methods: MethodTable = TABLES[table];
  const write = methods[name] as (...args: unknown[]) => Steps<unknown>;
  try {
    return { id, value: executor.write(() => write(...args)) };
  } catch (error) {
    // An Error's class does not survive the way between threads; its name and code do.
    const { name: errorName, message, code } = error as Error & { code?: string };
    return {
      id,
      error: { name: errorName, message, ...(code === undefined ? {} : { code }) },
    };
  }
}
