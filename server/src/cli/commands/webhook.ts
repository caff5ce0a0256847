/** The commands of webhooks: who is told of the audit trail. */

import { parseWhole } from '../../operations/input.ts';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  resumeWebhook,
  showWebhook,
  testWebhook,
  type Webhook,
} from '../../operations/webhooks.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, pairs, timeText } from '../text.ts';

const WHOLE = { min: 0, max: Number.MAX_SAFE_INTEGER };

async function create({ context, args }: StoreCall): Promise<Output> {
  const after = args.option('after');
  const made = await createWebhook(context, {
    target: args.positional('URL'),
    sends: args.required('for'),
    programId: args.option('program'),
    mayBeFile: true,
    after: after === undefined ? undefined : parseWhole('--after', after, WHOLE),
  });
  const { webhookId, target, sends } = made;
  const secret = made.secret?.reveal();
  const { document, text, complaint } = changeOutput(made, {
    members: { webhookId, target, for: sends },
    words: 'Created.',
    entries: [
      ['webhook_id', webhookId],
      ['secret', secret],
    ],
  });
  if (secret === undefined) return { document, text, complaint };
  return {
    document: { ...(document as object), secret },
    text: `${text}Its receiver verifies with the secret, which is shown this once: store it now.\n`,
    complaint,
  };
}

async function listAll({ context }: StoreCall): Promise<Output> {
  const webhooks = await listWebhooks(context);
  const rows = webhooks.map((webhook) => [
    webhook.webhookId,
    webhook.sends,
    stateOf(webhook),
    String(webhook.behind),
    `${webhook.behindSeconds} s`,
    timeText(webhook.deliveredAtMs) ?? '-',
    webhook.target,
  ]);
  return {
    document: documentOf(webhooks),
    text: list(
      ['WEBHOOK', 'FOR', 'STATE', 'BEHIND', 'WAITING', 'DELIVERED', 'URL'],
      rows,
      'There is no webhook; countersign webhook create URL --for audit makes one.',
    ),
  };
}

function stateOf({ disabled, failures }: Webhook): string {
  if (disabled) return 'disabled';
  return failures === 0 ? 'well' : `${failures} failed`;
}

async function show({ context, args }: StoreCall): Promise<Output> {
  const webhook = await showWebhook(context, { webhookId: args.positional('ID') });
  return {
    document: documentOf(webhook),
    text: pairs([
      ['webhook_id', webhook.webhookId],
      ['url', webhook.target],
      ['for', webhook.sends],
      ['program', webhook.programId],
      ['state', stateOf(webhook)],
      ['problem', webhook.problem],
      ['delivered to', `line ${webhook.deliveredTo}`],
      ['behind', `${webhook.behind} lines, ${webhook.behindSeconds} s`],
      ['last delivered', timeText(webhook.deliveredAtMs)],
      ['created', `${timeText(webhook.createdAtMs)} by ${webhook.createdBy}`],
    ]),
  };
}

async function remove({ context, args }: StoreCall): Promise<Output> {
  const webhookId = args.positional('ID');
  return changeOutput(await deleteWebhook(context, { webhookId }), {
    members: { webhookId },
    words: 'Deleted: nothing more is sent.',
    already: 'Was deleted already; this is the receipt of that.',
  });
}

async function resume({ context, args }: StoreCall): Promise<Output> {
  const webhookId = args.positional('ID');
  return changeOutput(await resumeWebhook(context, { webhookId }), {
    members: { webhookId },
    words: 'Resumed: it is told of all since the last line that it heard.',
    already: 'It is not disabled.',
  });
}

async function test({ context, args }: StoreCall): Promise<Output> {
  const result = await testWebhook(context, { webhookId: args.positional('ID') });
  const { delivered, answer } = result;
  return {
    document: documentOf(result),
    text: delivered ? `Delivered: ${answer}.\n` : '',
    ...(delivered ? {} : { complaint: `the test message was not delivered: ${answer}` }),
  };
}

const ID = { name: 'ID', doc: 'The webhook, webhook_….' };
const EXAMPLE = 'webhook_4Gq8Zk1LwP0xYb3N';

export const WEBHOOK_COMMANDS: readonly Command[] = [
  {
    path: ['webhook', 'create'],
    summary: 'Have a URL told of the audit trail, or sent notices; or a file appended to.',
    about:
      'Messages are signed as Standard Webhooks has it, sent in order, at least once, and again until they are heard. Notices: suspended,\n' +
      'reactivated, exposed, expiring, claimed, quota, approval-pending, break-glass, dormant. A file gets lines that audit verify reads.',
    positionals: [
      { name: 'URL', doc: 'https:, or http: to this machine; or file:///PATH for --for audit.' },
    ],
    options: [
      { name: 'for', value: 'WHAT', required: true, doc: 'audit: every line; or notices.' },
      { name: 'program', value: 'ID', doc: 'Notices about this program alone.' },
      {
        name: 'after',
        value: 'N',
        doc: 'Begin after this line of the trail. Left out: audit from the first, notices from now.',
      },
    ],
    examples: [
      'countersign webhook create https://siem.bank.example/countersign --for audit',
      'countersign webhook create https://desk.bank.example/hooks --for notices',
      'countersign webhook create file:///var/log/countersign/audit.jsonl --for audit',
    ],
    changes: true,
    run: create,
  },
  {
    path: ['webhook', 'list'],
    summary: 'List webhooks and how far behind each is, in lines and seconds.',
    examples: ['countersign webhook list'],
    run: listAll,
  },
  {
    path: ['webhook', 'show'],
    summary: 'Show a webhook and why it is behind.',
    positionals: [ID],
    examples: [`countersign webhook show ${EXAMPLE}`],
    run: show,
  },
  {
    path: ['webhook', 'test'],
    summary: 'Send one test message, or see whether the file can be written.',
    positionals: [ID],
    examples: [`countersign webhook test ${EXAMPLE}`],
    run: test,
  },
  {
    path: ['webhook', 'resume'],
    summary: 'Send to a disabled webhook again, from the last line that it heard.',
    about: 'A webhook is disabled when its receiver answers 410, and when a backup is restored.',
    positionals: [ID],
    examples: [`countersign webhook resume ${EXAMPLE}`],
    changes: true,
    run: resume,
  },
  {
    path: ['webhook', 'delete'],
    summary: 'Send nothing more to a webhook.',
    positionals: [ID],
    examples: [`countersign webhook delete ${EXAMPLE}`],
    changes: true,
    run: remove,
  },
];
