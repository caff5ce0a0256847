/** The commands of approvals: what one person asks for and another one allows. */

import { grantApproval, listApprovals, refuseApproval } from '../../operations/approvals.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';

const ID = { name: 'ID', doc: 'Id of the approval: approval_…' };

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const approvals = await listApprovals(context, { pendingOnly: !args.flag('all') });
  const rows = approvals.map((one) => [
    one.approvalId,
    one.state,
    one.asks,
    one.target,
    one.askedBy,
    timeText(one.expiresAtMs) ?? '',
    one.reason ?? '',
  ]);
  return {
    document: documentOf(approvals),
    text: list(
      ['APPROVAL', 'STATE', 'ASKS', 'ABOUT', 'BY', 'UNTIL', 'REASON'],
      rows,
      'Nothing waits for an approval.',
    ),
  };
}

async function grant({ context, args }: StoreCall): Promise<Output> {
  const approvalId = args.positional('ID');
  const done = await grantApproval(context, { approvalId });
  return changeOutput(done, {
    members: { approvalId },
    words: 'Granted, and done.',
    already: 'Was granted already.',
  });
}

async function refuse({ context, args }: StoreCall): Promise<Output> {
  const approvalId = args.positional('ID');
  const done = await refuseApproval(context, { approvalId, reason: args.option('reason') });
  return changeOutput(done, {
    members: { approvalId },
    words: 'Refused: nothing was changed.',
    already: 'Was refused already.',
  });
}

export const APPROVAL_COMMANDS: readonly Command[] = [
  {
    path: ['approval', 'list'],
    summary: 'List what waits for somebody to agree.',
    options: [
      { name: 'all', doc: 'Also what was granted, refused or has expired; the newest 200.' },
    ],
    examples: ['countersign approval list'],
    run: listAll,
  },
  {
    path: ['approval', 'grant'],
    summary: 'Agree to what somebody else has asked for: it is done at once.',
    about:
      'Refused to whoever asked. A reactivation is refused as well if there was one more suspension since it was asked for. For a\n' +
      'suspension with an end, the end holds from now on.',
    positionals: [ID],
    examples: ['countersign approval grant approval_3dR8sKx0QmW5vYbT'],
    changes: true,
    run: grant,
  },
  {
    path: ['approval', 'refuse'],
    summary: 'Say no to what was asked for, or take it back.',
    positionals: [ID],
    options: [{ name: 'reason', value: 'TEXT', doc: 'Why; stands in the audit trail.' }],
    examples: [
      "countersign approval refuse approval_3dR8sKx0QmW5vYbT --reason 'not cleaned up yet'",
    ],
    changes: true,
    run: refuse,
  },
];
