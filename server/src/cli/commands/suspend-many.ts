/** The command that suspends many clients at once. */

import { CONDITIONS_DOC } from '../../operations/client-selection.ts';
import {
  type Progress,
  previewSuspension,
  suspendClients,
} from '../../operations/suspend-clients.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { list } from '../text.ts';
import { SUSPEND_OPTIONS, suspendOutput, untilOf } from './suspension.ts';

/** Of a hundred thousand clients a hundred parts: a line for each ten. */
const TOLD_EVERY_CLIENTS = 10_000;

async function suspendMany(call: StoreCall): Promise<Output> {
  const { context, args } = call;
  const where = args.list('where');
  if (args.flag('dry-run')) return await dryRun(call, where);
  const input = { where, reason: args.required('reason'), untilMs: untilOf(call) };
  const tell = everyTenThousand(call.tell);
  const { matched, suspended, ...done } = await suspendClients(context, input, tell);
  return suspendOutput(done, {
    members: { matched, suspended },
    words: `Suspended ${suspended} of ${matched} clients that match; none of their tokens is accepted any more.`,
    already: `All ${matched} clients that match were suspended so already.`,
  });
}

async function dryRun({ context }: StoreCall, where: readonly string[]): Promise<Output> {
  const preview = await previewSuspension(context, { where });
  const { matched, active, clients } = preview;
  const rows = clients.map(({ clientId, name }) => [clientId, name]);
  const more = matched > clients.length ? `and ${matched - clients.length} more\n` : '';
  return {
    document: documentOf(preview),
    text: `${matched} clients match, ${active} of them active. Nothing was changed.\n${list(['CLIENT', 'NAME'], rows, '')}${more}`,
  };
}

function everyTenThousand(tell: StoreCall['tell']): (progress: Progress) => void {
  let told = 0;
  return ({ matched, suspended }) => {
    if (matched < told + TOLD_EVERY_CLIENTS) return;
    told = matched;
    tell(`${matched} clients seen, ${suspended} suspended.`);
  };
}

export const SUSPEND_MANY_COMMAND: Command = {
  path: ['client', 'suspend-many'],
  summary: 'Stop every client that meets some conditions; one receipt covers them all.',
  about:
    'Works in parts of a thousand clients, with an audit line each, and lets other changes through between two parts. Cut off\n' +
    'half-way, it has suspended some: run it again for the rest. Look first, with --dry-run.',
  options: [
    {
      name: 'where',
      value: 'CONDITION',
      required: true,
      repeatable: true,
      doc: CONDITIONS_DOC,
    },
    ...SUSPEND_OPTIONS,
    { name: 'dry-run', doc: 'Count and name what would be suspended, and change nothing.' },
  ],
  examples: [
    "countersign client suspend-many --where environment=production --where 'name~mobile' --reason 'secrets in an app' --dry-run",
    "countersign client suspend-many --where program=program_8fYk2LmQ9aXc4TzR --reason 'partner breached' --until 7d",
  ],
  run: suspendMany,
};
