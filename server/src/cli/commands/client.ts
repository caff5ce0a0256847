/** The commands of clients. */

import {
  type ClaimedClient,
  createClient,
  createClientWithClaim,
} from '../../operations/create-client.ts';
import { deleteClient } from '../../operations/delete-client.ts';
import { parseWhole } from '../../operations/input.ts';
import { reactivateClient } from '../../operations/reactivate-client.ts';
import { listClients, showClient } from '../../operations/read-directory.ts';
import { suspendClient } from '../../operations/suspend-client.ts';
import { parseTime } from '../../operations/time-input.ts';
import type { ClientRecord } from '../../ports/model.ts';
import type { Command, Option, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput, claimOutput, secretOutput } from '../outputs.ts';
import { pairs, timeText } from '../text.ts';
import { CLAIM_OPTIONS, claimOf } from './claim-options.ts';
import { clientTable, secretTable } from './client-table.ts';
import { SUSPEND_MANY_COMMAND } from './suspend-many.ts';
import {
  REACTIVATE_OPTIONS,
  reactivating,
  SUSPEND_OPTIONS,
  suspending,
  suspensionTable,
} from './suspension.ts';

const ID = { name: 'ID', doc: 'Id of the client: client_test_… or client_live_…' };

async function create(call: StoreCall): Promise<Output> {
  const { context, args } = call;
  const lifetime = args.option('token-lifetime');
  const expires = args.option('expires');
  const input = {
    programId: args.required('program'),
    environment: args.required('environment'),
    name: args.required('name'),
    scope: (args.option('scope') ?? '').split(/\s+/).filter((name) => name !== ''),
    resources: args.list('resource'),
    allowIp: args.list('allow-ip'),
    tokenLifetimeSeconds:
      lifetime === undefined
        ? undefined
        : parseWhole('--token-lifetime', lifetime, { min: 1, max: 86_400 }),
    resourceServer: args.flag('resource-server'),
    secretExpiresAtMs:
      expires === undefined ? undefined : parseTime('--expires', expires, context.clock.wallMs()),
  };
  const claim = claimOf(call, ['client', 'create']);
  if (claim !== undefined) {
    return claimed(await createClientWithClaim(context, { ...input, claim }));
  }
  const made = await createClient(context, input);
  const { clientId, programId, environment, tokenEndpoint, secretId, expiresAtMs } = made;
  return secretOutput(made, {
    members: { clientId, programId, environment, tokenEndpoint, secretId, expiresAtMs },
    words: 'Created.',
    entries: [
      ['environment', environment],
      ['token_endpoint', tokenEndpoint],
      ['client_id', clientId],
      ['secret_id', secretId],
      ['expires', timeText(expiresAtMs)],
    ],
  });
}

function claimed(made: ClaimedClient): Output {
  const { clientId, programId, environment, tokenEndpoint, expiresAtMs } = made;
  return claimOutput(made, {
    members: { clientId, programId, environment, tokenEndpoint, expiresAtMs },
    words: 'Created, without a secret: that is made when its owner opens the link.',
    entries: [
      ['environment', environment],
      ['token_endpoint', tokenEndpoint],
      ['client_id', clientId],
      ['secret expires', timeText(expiresAtMs)],
    ],
  });
}

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const clients = await listClients(context, {
    programId: args.option('program'),
    environment: args.option('environment'),
  });
  return { document: documentOf(clients), text: clientTable(clients) };
}

async function show({ context, args }: StoreCall): Promise<Output> {
  const { client, secrets, suspensions } = await showClient(context, {
    clientId: args.positional('ID'),
  });
  const known = pairs([
    ['client', client.clientId],
    ['name', client.name],
    ['program', client.programId],
    ['environment', client.environment],
    ['state', client.state],
    ['reason', client.suspendedReason],
    ['scope', client.scope.join(' ') || 'none'],
    ['resources', client.resources.join(' ')],
    ['allowed from', client.allowIp.join(' ') || 'anywhere'],
    ['tokens used from', client.verifyAddress ? 'the same addresses only' : undefined],
    ['token quota', quotaText(client)],
    ['token lifetime', `${client.tokenLifetimeSeconds} s`],
    ['resource server', client.resourceServer ? 'yes: it may call /introspect' : undefined],
    ['created', timeText(client.createdAtMs)],
  ]);
  return {
    document: {
      ...(documentOf(client) as object),
      secrets: documentOf(secrets),
      suspensions: documentOf(suspensions),
    },
    text: `${known}\n${suspensionTable(suspensions)}${secretTable(secrets, context.clock.wallMs())}`,
  };
}

function quotaText({ tokenQuota }: ClientRecord): string | undefined {
  if (tokenQuota === undefined) return undefined;
  return `${tokenQuota.perHour} an hour, ${tokenQuota.enforced ? 'enforced' : 'reported only'}`;
}

const suspend = suspending('clientId', {
  suspend: (context, clientId, terms) => suspendClient(context, { clientId, ...terms }),
  words: 'Suspended: none of its tokens is accepted any more.',
});

const reactivate = reactivating('clientId', {
  reactivate: (context, clientId, terms) => reactivateClient(context, { clientId, ...terms }),
  words: 'Reactivated: it may get new tokens; the earlier ones stay dead.',
});

async function remove({ context, args }: StoreCall): Promise<Output> {
  const clientId = args.positional('ID');
  const done = await deleteClient(context, { clientId });
  return changeOutput(done, {
    members: { clientId },
    words: 'Deleted: its tokens are dead and its id is never given out again.',
    already: 'Was deleted already; this is the receipt of that.',
  });
}

const CREATE_OPTIONS: readonly Option[] = [
  { name: 'program', value: 'ID', required: true, doc: 'Program that it belongs to.' },
  { name: 'environment', value: 'ENV', required: true, doc: 'Where it is good, such as sandbox.' },
  { name: 'name', value: 'NAME', required: true, doc: 'What it is, for people.' },
  { name: 'scope', value: '"a b"', doc: 'Declared scopes that it may ask for.' },
  {
    name: 'resource',
    value: 'URI',
    repeatable: true,
    doc: 'Declared resource that its tokens may be for.',
  },
  {
    name: 'allow-ip',
    value: 'CIDR',
    repeatable: true,
    doc: 'Address or block that it may ask for tokens from; none: anywhere.',
  },
  {
    name: 'token-lifetime',
    value: 'SECONDS',
    doc: 'How long its tokens live: 1 to 86400 (default 3600).',
  },
  {
    name: 'expires',
    value: 'TIME',
    doc: 'When its first secret ends: a time, a date or 90d, 24h (default never).',
  },
  { name: 'resource-server', doc: 'It accepts tokens, so it may call /introspect.' },
];

export const CLIENT_COMMANDS: readonly Command[] = [
  {
    path: ['client', 'create'],
    summary: 'Give a program a client in one environment, with its first secret.',
    about: 'The secret is printed this once. With --json it stands in client_secret.',
    options: [...CREATE_OPTIONS, ...CLAIM_OPTIONS],
    examples: [
      'countersign client create --program program_8fYk2LmQ9aXc4TzR --environment sandbox --name backend --scope "accounts:read"',
    ],
    changes: true,
    run: create,
  },
  {
    path: ['client', 'list'],
    summary: 'List the clients.',
    options: [
      { name: 'program', value: 'ID', doc: 'Only those of a program.' },
      { name: 'environment', value: 'ENV', doc: 'Only those of an environment.' },
    ],
    examples: ['countersign client list --environment production'],
    run: listAll,
  },
  {
    path: ['client', 'show'],
    summary: 'Show a client and its secrets, by id and last characters.',
    positionals: [ID],
    examples: ['countersign client show client_test_4Gq8Zk1LwP0xYb3N'],
    run: show,
  },
  {
    path: ['client', 'suspend'],
    summary: 'Stop a client: none of its tokens is accepted once the receipt is printed.',
    positionals: [ID],
    options: SUSPEND_OPTIONS,
    examples: ["countersign client suspend client_test_4Gq8Zk1LwP0xYb3N --reason 'leaked'"],
    changes: true,
    run: suspend,
  },
  SUSPEND_MANY_COMMAND,
  {
    path: ['client', 'reactivate'],
    summary: 'Let a suspended client work again, with new tokens only.',
    positionals: [ID],
    options: REACTIVATE_OPTIONS,
    examples: ['countersign client reactivate client_test_4Gq8Zk1LwP0xYb3N'],
    changes: true,
    run: reactivate,
  },
  {
    path: ['client', 'delete'],
    summary: 'End a client for good.',
    positionals: [ID],
    examples: ['countersign client delete client_test_4Gq8Zk1LwP0xYb3N'],
    changes: true,
    run: remove,
  },
];
