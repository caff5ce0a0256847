/** What commands of programs and of clients share about suspensions: options, what they print, and the table of the open ones. */

import type { DoneOrAsked, Terms } from '../../operations/approvals.ts';
import type { Reactivated, ReactivationTerms } from '../../operations/reactivation.ts';
import type { Suspended } from '../../operations/suspension-end.ts';
import { parseTime } from '../../operations/time-input.ts';
import type { ApprovalRecord } from '../../ports/approvals.ts';
import type { SuspensionRecord } from '../../ports/suspensions.ts';
import type { Option, Output, StoreCall } from '../command.ts';
import { changeOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';

/** Of what may need an approval. */
export const TERMS_OPTIONS: readonly Option[] = [
  { name: 'reason', value: 'TEXT', doc: 'Why; for whoever has to approve.' },
  {
    name: 'break-glass',
    doc: 'Wait for no approval, though the policy demands one; recorded, notified, and needs a --reason.',
  },
];

export const SUSPEND_OPTIONS: readonly Option[] = [
  { name: 'reason', value: 'TEXT', required: true, doc: 'Why; stands in the audit trail.' },
  {
    name: 'until',
    value: 'TIME',
    doc: 'When it ends by itself: a time, a date or 7d, 2h (default: when it is reactivated).',
  },
];

export const REACTIVATE_OPTIONS: readonly Option[] = [
  {
    name: 'suspension',
    value: 'ID',
    doc: 'End only this one of its suspensions: suspension_… (default: all that are open).',
  },
  ...TERMS_OPTIONS,
];

export function untilOf({ context, args }: StoreCall): number | undefined {
  const until = args.option('until');
  return until === undefined ? undefined : parseTime('--until', until, context.clock.wallMs());
}

/** What may stand beside what may need an approval. */
export const termsOf = ({ args }: Pick<StoreCall, 'args'>): Terms => ({
  reason: args.option('reason'),
  breakGlass: args.flag('break-glass'),
});

/** A suspension; says what its end waits for. */
export function suspendOutput(
  { endApproval, ...done }: Suspended,
  about: Parameters<typeof changeOutput>[1],
): Output {
  const output = changeOutput(done, {
    ...about,
    members: { ...about.members, endApprovalId: endApproval?.approvalId },
  });
  if (endApproval?.state !== 'pending') return output;
  const text = `${output.text}It ends at that time only once somebody else has agreed: ${grantText(endApproval)}\n`;
  return { ...output, text };
}

type Context = StoreCall['context'];

/** How a command suspends what its ID names; `member` is what its output calls that. */
export const suspending =
  (
    member: 'programId' | 'clientId',
    how: {
      suspend(
        context: Context,
        id: string,
        terms: { readonly reason: string; readonly untilMs: number | undefined },
      ): Promise<Suspended>;
      readonly words: string;
    },
  ) =>
  async (call: StoreCall): Promise<Output> => {
    const { context, args } = call;
    const id = args.positional('ID');
    const terms = { reason: args.required('reason'), untilMs: untilOf(call) };
    return suspendOutput(await how.suspend(context, id, terms), {
      members: { [member]: id },
      words: how.words,
      already: 'Was suspended already; this is the receipt of that.',
    });
  };

/** How a command reactivates what its ID names. */
export const reactivating =
  (
    member: 'programId' | 'clientId',
    how: {
      reactivate(context: Context, id: string, terms: ReactivationTerms): Promise<Reactivated>;
      readonly words: string;
    },
  ) =>
  async ({ context, args }: StoreCall): Promise<Output> => {
    const id = args.positional('ID');
    const terms = { suspensionId: args.option('suspension'), ...termsOf({ args }) };
    const done = await how.reactivate(context, id, terms);
    return reactivateOutput(done, { members: { [member]: id }, words: how.words });
  };

/** A reactivation: what works again, what still suspends it, or what was asked for instead. */
function reactivateOutput(
  { remaining, ...done }: Reactivated,
  about: { readonly members: object; readonly words: string },
): Output {
  const active = remaining.length === 0;
  const members = { ...about.members, active };
  if (done.approval !== undefined) return askedOutput(done, members);
  const { document, text, complaint } = changeOutput(done, {
    members,
    words: active ? about.words : 'Ended that suspension. It stays suspended by:',
    already: 'Was active already.',
  });
  return { document, text: active ? text : `${text}${suspensionTable(remaining)}`, complaint };
}

/** Nothing was done yet: somebody else has to agree. */
export function askedOutput({ approval, ...done }: DoneOrAsked, members: object): Output {
  if (approval === undefined) throw new TypeError('nothing was asked for');
  const words = done.changed ? 'Asked for an approval.' : 'That is asked for already.';
  const output = changeOutput(done, {
    members: { ...members, approvalId: approval.approvalId, expiresAtMs: approval.expiresAtMs },
    words: `${words} Nothing has changed yet: somebody else has to agree.`,
    already: `${words} Nothing has changed yet: somebody else has to agree.`,
  });
  return { ...output, text: `${output.text}${grantText(approval)}\n` };
}

function grantText({ approvalId, expiresAtMs }: ApprovalRecord): string {
  return `countersign approval grant ${approvalId} (until ${timeText(expiresAtMs)})`;
}

/** Suspensions as rows, or nothing. */
export function suspensionTable(suspensions: readonly SuspensionRecord[]): string {
  if (suspensions.length === 0) return '';
  const rows = suspensions.map((one) => [
    one.suspensionId,
    timeText(one.openedAtMs) ?? '',
    timeText(one.untilMs) ?? 'reactivated',
    one.openedBy,
    one.reason,
  ]);
  return list(['SUSPENSION', 'SINCE', 'UNTIL', 'BY', 'REASON'], rows, '');
}
