/** A process that appends until it is stopped and prints the jti of every acknowledged token; made to be killed. */

import { parseArgs } from 'node:util';
import { StoreUnavailable } from '../../ports/store.ts';
import { openJournal } from '../journal.ts';
import { hex, numberedToken } from './sample-journal.ts';

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: '' },
    /** Numbers begin here, so that several runs tell their tokens apart. */
    from: { type: 'string', default: '0' },
    /** How many tokens; 0: until standard input ends. */
    count: { type: 'string', default: '0' },
    callers: { type: 'string', default: '1' },
    synchronous: { type: 'string', default: 'FULL' },
    'answer-before-commit': { type: 'boolean', default: false },
  },
});

const journal = await openJournal({
  directory: values.directory,
  slot: '1',
  synchronous: values.synchronous === 'OFF' ? 'OFF' : 'FULL',
  answerBeforeCommit: values['answer-before-commit'],
});
const count = Number(values.count);
const last = count === 0 ? Number.MAX_SAFE_INTEGER : Number(values.from) + count;
let next = Number(values.from);
let isEnding = false;
if (count === 0) {
  process.stdin.on('end', () => {
    isEnding = true;
  });
  process.stdin.resume();
}

async function appendOne(): Promise<void> {
  const token = numberedToken(next, { issuedAtMs: Date.now() });
  next += 1;
  try {
    await journal.append(token);
    process.stdout.write(`${hex(token)}\n`);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    process.stdout.write('refused\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function call(): Promise<void> {
  while (!isEnding && next < last) await appendOne();
}

await Promise.all(Array.from({ length: Number(values.callers) }, call));
await journal.close();
process.stdout.write(`batches ${journal.counts.batches}\n`);
