/** The commands of client secrets. */

import { createSecret } from '../../operations/create-secret.ts';
import { listSecrets } from '../../operations/read-directory.ts';
import { revokeSecret } from '../../operations/revoke-secret.ts';
import { rotateSecret } from '../../operations/rotate-secret.ts';
import { parseDuration, parseTime } from '../../operations/time-input.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput, secretOutput } from '../outputs.ts';
import { timeText } from '../text.ts';
import { secretState, secretTable } from './client-table.ts';

const CLIENT_ID = { name: 'CLIENT_ID', doc: 'Id of the client: client_test_… or client_live_…' };
const EXPIRES = {
  name: 'expires',
  value: 'TIME',
  doc: 'When the new secret ends: a time, a date or 90d, 24h (default never).',
};

function expiresOf({ context, args }: StoreCall): number | undefined {
  const text = args.option('expires');
  return text === undefined ? undefined : parseTime('--expires', text, context.clock.wallMs());
}

async function create(call: StoreCall): Promise<Output> {
  const made = await createSecret(call.context, {
    clientId: call.args.positional('CLIENT_ID'),
    expiresAtMs: expiresOf(call),
  });
  const { clientId, secretId, expiresAtMs } = made;
  return secretOutput(made, {
    members: { clientId, secretId, expiresAtMs },
    words: 'Created.',
    entries: [
      ['client_id', clientId],
      ['secret_id', secretId],
      ['expires', timeText(expiresAtMs)],
    ],
  });
}

async function rotate(call: StoreCall): Promise<Output> {
  const overlap = call.args.option('overlap');
  const made = await rotateSecret(call.context, {
    clientId: call.args.positional('CLIENT_ID'),
    overlapMs: overlap === undefined ? undefined : parseDuration('--overlap', overlap),
    expiresAtMs: expiresOf(call),
  });
  const { clientId, secretId, expiresAtMs, othersExpireAtMs } = made;
  return secretOutput(made, {
    members: { clientId, secretId, expiresAtMs, othersExpireAtMs },
    words: 'Rotated.',
    entries: [
      ['client_id', clientId],
      ['secret_id', secretId],
      ['expires', timeText(expiresAtMs)],
      ['earlier secrets end', timeText(othersExpireAtMs)],
    ],
  });
}

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const secrets = await listSecrets(context, { clientId: args.positional('CLIENT_ID') });
  const nowMs = context.clock.wallMs();
  return {
    document: secrets.map((secret) => ({
      ...(documentOf(secret) as object),
      state: secretState(secret, nowMs),
    })),
    text: secretTable(secrets, nowMs),
  };
}

async function revoke({ context, args }: StoreCall): Promise<Output> {
  const secretId = args.positional('SECRET_ID');
  const killTokens = args.flag('kill-tokens');
  const done = await revokeSecret(context, { secretId, killTokens });
  return changeOutput(done, {
    members: { secretId, killTokens },
    words: killTokens
      ? 'Revoked: it gets no token any more, and every token that it got is dead.'
      : 'Revoked: it gets no token any more; the tokens that it got live on until they expire.',
    already: 'Was revoked already; this is the receipt of that.',
  });
}

export const SECRET_COMMANDS: readonly Command[] = [
  {
    path: ['secret', 'create'],
    summary: 'Add a secret to a client; two may be live at once.',
    positionals: [CLIENT_ID],
    options: [EXPIRES],
    examples: ['countersign secret create client_test_4Gq8Zk1LwP0xYb3N --expires 90d'],
    changes: true,
    run: create,
  },
  {
    path: ['secret', 'list'],
    summary: 'List the secrets of a client, by id and last characters.',
    positionals: [CLIENT_ID],
    examples: ['countersign secret list client_test_4Gq8Zk1LwP0xYb3N'],
    run: listAll,
  },
  {
    path: ['secret', 'rotate'],
    summary: 'Replace the secrets of a client, with an overlap.',
    positionals: [CLIENT_ID],
    options: [
      {
        name: 'overlap',
        value: 'DURATION',
        doc: 'How long the earlier ones stay good: 24h, 30m, 0s (default 24h).',
      },
      EXPIRES,
    ],
    examples: ['countersign secret rotate client_test_4Gq8Zk1LwP0xYb3N --overlap 2h'],
    changes: true,
    run: rotate,
  },
  {
    path: ['secret', 'revoke'],
    summary: 'End a secret at once.',
    positionals: [{ name: 'SECRET_ID', doc: 'Id of the secret: sec_…' }],
    options: [{ name: 'kill-tokens', doc: 'Kill the tokens that it got as well.' }],
    examples: ['countersign secret revoke sec_Y2mC7sQ1vB9nKe5D --kill-tokens'],
    changes: true,
    run: revoke,
  },
];
