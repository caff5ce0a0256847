/** The command that lists clients which nobody uses any more. */

import { listDormant } from '../../operations/dormant-clients.ts';
import { parseWhole } from '../../operations/input.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { list, timeText } from '../text.ts';

async function dormant({ context, args }: StoreCall): Promise<Output> {
  const days = args.option('days');
  const clients = await listDormant(context, {
    days: days === undefined ? undefined : parseWhole('--days', days, { min: 1, max: 3_650 }),
  });
  return {
    document: documentOf(clients),
    text: list(
      ['CLIENT', 'PROGRAM', 'LAST USED', 'CREATED', 'NAME'],
      clients.map((client) => [
        client.clientId,
        client.programId,
        timeText(client.lastUsedAtMs) ?? 'never',
        timeText(client.createdAtMs) ?? '',
        client.name,
      ]),
      'No client is dormant.',
    ),
  };
}

export const CLIENT_DORMANT: Command = {
  path: ['client', 'dormant'],
  summary: 'List the active clients that nobody has used for long.',
  about:
    'How long is the policy dormant-days, or --days. Running servers report each of them once, in the audit trail and to\n' +
    'webhooks, and suspend them where the policy dormant-suspend is on.',
  options: [{ name: 'days', value: 'N', doc: 'Unused for so many days (default: the policy).' }],
  examples: ['countersign client dormant', 'countersign client dormant --days 30'],
  run: dormant,
};
