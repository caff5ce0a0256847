/** What commands of programs and of clients share about suspensions: options, what they print, and the table of the open ones. */

import type { Reactivated } from '../../operations/reactivation.ts';
import { parseTime } from '../../operations/time-input.ts';
import type { SuspensionRecord } from '../../ports/suspensions.ts';
import type { Option, Output, StoreCall } from '../command.ts';
import { changeOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';

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
];

export function untilOf({ context, args }: StoreCall): number | undefined {
  const until = args.option('until');
  return until === undefined ? undefined : parseTime('--until', until, context.clock.wallMs());
}

/** A reactivation: what works again, or what still suspends it. */
export function reactivateOutput(
  { remaining, ...done }: Reactivated,
  about: { readonly members: object; readonly words: string },
): Output {
  const active = remaining.length === 0;
  const { document, text, complaint } = changeOutput(done, {
    members: { ...about.members, active },
    words: active ? about.words : 'Ended that suspension. It stays suspended by:',
    already: 'Was active already.',
  });
  return { document, text: active ? text : `${text}${suspensionTable(remaining)}`, complaint };
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
