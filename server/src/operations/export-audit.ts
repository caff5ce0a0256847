/** The audit trail as an export that can be verified without the store: a head, lines, checkpoints. In pages, so that its memory is bounded. */

import type { Checkpoint } from '../ports/checkpoints.ts';
import { ChangeRefused } from '../ports/store.ts';
import { checkpointRecord, headRecord, lineRecord } from './audit-records.ts';
import type { OperationContext } from './context.ts';
import { invalid } from './input.ts';
import { makeCheckpoint } from './make-checkpoint.ts';

const PAGE_LINES = 1_000;

export type Exported = {
  readonly after: number;
  /** The last line in it. */
  readonly to: number;
  readonly checkpoints: number;
};

/**
 * Writes that it happens into the trail, signs a checkpoint, and hands out the lines after `after` up to that moment, each piece
 * only when asked for. A trail that is broken is exported all the same, without a new checkpoint: somebody has to look at it.
 */
export async function* exportAudit(
  context: OperationContext,
  input: { readonly after?: number | undefined } = {},
): AsyncGenerator<string, Exported> {
  const { audit, checkpoints } = context;
  const after = input.after ?? 0;
  const before = await audit.head();
  if (after > before.sequence) {
    throw invalid(`--after ${after}: the last line of the trail is ${before.sequence}`);
  }
  await recordExport(context, after);
  await makeCheckpoint(context).catch(ifRefused);
  const head = await audit.head();
  const keys = await checkpoints.signingKeys();
  yield headRecord({
    incarnation: head.incarnation,
    after,
    previousHash: await hashOf(context, after),
    publicKeys: keys.map(({ publicKey }) => publicKey),
  });
  let [last, signed, count] = [after, Math.max(0, after - 1), 0];
  while (last < head.sequence) {
    const limit = Math.min(PAGE_LINES, head.sequence - last);
    const lines = (await audit.chain({ after: last, limit })).filter(
      ({ sequence }) => sequence <= head.sequence,
    );
    const end = lines.at(-1)?.sequence ?? head.sequence;
    const page = await checkpointsTo(context, { after: signed, to: end });
    yield [...lines.map(lineRecord), ...page.map(checkpointRecord)].join('');
    [last, signed, count] = [end, end, count + page.length];
  }
  return { after, to: last, checkpoints: count };
}

/** That lines leave is a line itself. */
export async function recordExport(
  { changes, actor, clock }: OperationContext,
  after: number,
): Promise<void> {
  const line = { action: 'audit.export', target: 'audit', detail: { after } };
  await changes.record({ actor, atMs: clock.wallMs(), ...line });
}

async function hashOf({ audit }: OperationContext, sequence: number): Promise<string> {
  if (sequence === 0) return '';
  const [link] = await audit.chain({ after: sequence - 1, limit: 1 });
  return link?.sequence === sequence ? link.hash : '';
}

/** At most one a line, so no more than the page has lines, and one before it. */
async function checkpointsTo(
  { checkpoints }: OperationContext,
  range: { readonly after: number; readonly to: number },
): Promise<readonly Checkpoint[]> {
  const page = await checkpoints.list({ after: range.after, limit: PAGE_LINES + 1 });
  return page.filter(({ sequence }) => sequence <= range.to);
}

function ifRefused(error: Error): void {
  if (!(error instanceof ChangeRefused)) throw error;
}
