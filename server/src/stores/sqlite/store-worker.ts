/** The writer thread of the main database: one write transaction after another, off the event loop. */

import { parentPort, workerData } from 'node:worker_threads';
import { addCheckpoint } from '../sql/checkpoints.ts';
import { claimDuty, endDuty, extendDuty } from '../sql/duties.ts';
import { moveSecret } from '../sql/keys.ts';
import { acknowledgeNode, fenceNode, leaveNode, registerNode, renewNode } from '../sql/nodes.ts';
import { prune } from '../sql/prune.ts';
import { shareQuota } from '../sql/quotas.ts';
import { noteRefusals } from '../sql/refusals.ts';
import { noteUses } from '../sql/secret-uses.ts';
import { advanceWebhook, webhookFailed } from '../sql/webhooks.ts';
import { appendAudit, commit, initialise } from './append.ts';
import { connectWriter } from './connect.ts';
import { executorOf } from './executor.ts';

/** Every write of the store by its name: what may be asked of this thread. */
export const WRITES = {
  initialise,
  commit,
  appendAudit,
  registerNode,
  renewNode,
  acknowledgeNode,
  leaveNode,
  fenceNode,
  moveSecret,
  shareQuota,
  addCheckpoint,
  advanceWebhook,
  webhookFailed,
  claimDuty,
  extendDuty,
  endDuty,
  prune,
  noteUses,
  noteRefusals,
};

export type Writes = typeof WRITES;
export type WriteRequest = {
  [Name in keyof Writes]: {
    readonly id: number;
    readonly name: Name;
    readonly args: Parameters<Writes[Name]>;
  };
}[keyof Writes];
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
    if (request.name === 'commit' && request.args[0].change.kind === 'key.rewrap') {
      // Until its pages are in their place, the file holds the keys as they were wrapped before.
      connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
    port.postMessage(reply);
  });
}

function answer(executor: ReturnType<typeof executorOf>, request: WriteRequest): WriteReply {
  const { id, name, args } = request;
  const write = WRITES[name] as (...args: unknown[]) => ReturnType<Writes['commit']>;
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
