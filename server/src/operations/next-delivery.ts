/** What a webhook is to be sent next, and where that leaves it: batches of audit lines, or one notice. Sends nothing. */

import type { AuditLink } from '../ports/audit-trail.ts';
import type { Checkpoint } from '../ports/checkpoints.ts';
import type { Cursors, WebhookRow } from '../ports/webhooks.ts';
import { checkpointRecord, type ExportHead, headRecord, lineRecord } from './audit-records.ts';
import type { OperationContext } from './context.ts';
import type { NoticeReader } from './notices.ts';

/** Lines that are looked at, and those that travel together. */
const LOOK_LINES = 500;
const BATCH_LINES = 100;
/** A receiver may refuse more; a single line that is longer travels all the same. */
const BATCH_CHARACTERS = 256 * 1024;

export type NextDelivery = {
  /** The same at each attempt, so that a receiver knows a message again. */
  readonly id: string;
  readonly body: string;
  /** The same for a file: what it begins with if it is new, and lines to append. */
  readonly head: string;
  readonly records: readonly string[];
};

/** Undefined `delivery`: nothing of what was looked at is for it. Where `to` is where it stands already, there was nothing to look at. */
export type Next = { readonly to: Omit<Cursors, 'webhookId'>; readonly delivery?: NextDelivery };

type Context = Pick<OperationContext, 'audit' | 'checkpoints' | 'directory'>;

export async function nextDelivery(
  context: Context,
  webhook: WebhookRow,
  readNotice: NoticeReader,
): Promise<Next> {
  return webhook.sends === 'audit'
    ? await nextLines(context, webhook)
    : await nextNotice(context, webhook, readNotice);
}

async function nextLines(
  context: Context,
  { cursor, checkpointCursor }: WebhookRow,
): Promise<Next> {
  const links = batchOf(await context.audit.chain({ after: cursor, limit: BATCH_LINES }));
  const end = links.at(-1)?.sequence ?? cursor;
  const signed = (
    await context.checkpoints.list({ after: checkpointCursor, limit: BATCH_LINES })
  ).filter(({ sequence }) => sequence <= end);
  const to = { cursor: end, checkpointCursor: signed.at(-1)?.sequence ?? checkpointCursor };
  if (links.length === 0 && signed.length === 0) return { to };
  const head = await headOf(context, cursor);
  const records = [...links.map(lineRecord), ...signed.map(checkpointRecord)];
  const id = `msg_${head.incarnation}_${cursor}-${end}_${to.checkpointCursor}`;
  const body = linesBody({ head, links, signed });
  return { to, delivery: { id, body, head: headRecord(head), records } };
}

function batchOf(links: readonly AuditLink[]): readonly AuditLink[] {
  let characters = 0;
  const fitting = links.findIndex(({ line }) => {
    characters += line.length;
    return characters > BATCH_CHARACTERS;
  });
  return fitting < 0 ? links : links.slice(0, Math.max(1, fitting));
}

async function headOf({ audit, checkpoints }: Context, after: number): Promise<ExportHead> {
  const [{ incarnation }, keys] = [await audit.head(), await checkpoints.signingKeys()];
  const [before] = after === 0 ? [] : await audit.chain({ after: after - 1, limit: 1 });
  const previousHash = before?.sequence === after ? before.hash : '';
  return { incarnation, after, previousHash, publicKeys: keys.map(({ publicKey }) => publicKey) };
}

/** The records are those of an export, so that a receiver who writes them down one a line has one. */
function linesBody(of: {
  head: ExportHead;
  links: readonly AuditLink[];
  signed: readonly Checkpoint[];
}): string {
  const records = [
    headRecord(of.head),
    ...of.links.map(lineRecord),
    ...of.signed.map(checkpointRecord),
  ];
  return `{"type":"audit.lines","data":{"records":[${records.map((record) => record.trimEnd()).join(',')}]}}`;
}

async function nextNotice(
  context: Context,
  webhook: WebhookRow,
  readNotice: NoticeReader,
): Promise<Next> {
  const { cursor, checkpointCursor, programId } = webhook;
  const lines = await context.audit.lines({ after: cursor, limit: LOOK_LINES });
  let looked = cursor;
  for (const line of lines) {
    const notice = await readNotice(line, programId);
    if (notice === undefined) {
      looked = line.sequence;
      continue;
    }
    // What comes before it was for nobody: the webhook moves there first, so that no restart looks at it again.
    if (looked > cursor) break;
    const { type, at, ...data } = notice;
    const { incarnation } = await context.audit.head();
    const body = JSON.stringify({ type, timestamp: at, data: { ...data, at } });
    const id = `msg_${incarnation}_${line.sequence}`;
    const delivery = { id, body, head: '', records: [`${body}\n`] };
    return { to: { cursor: line.sequence, checkpointCursor }, delivery };
  }
  return { to: { cursor: looked, checkpointCursor } };
}
