/** The commands of access tokens. A token that is given is never printed. */

import { inspectToken } from '../../operations/inspect-token.ts';
import { listTokens } from '../../operations/list-tokens.ts';
import { revokeToken } from '../../operations/revoke-token.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { pairs, timeText } from '../text.ts';
import { tokenTable } from './token-table.ts';

const TOKEN = {
  name: 'TOKEN',
  doc: 'The token, or - to read it from standard input, out of sight of the shell history.',
};

async function inspect({ context, args }: StoreCall): Promise<Output> {
  const token = await inspectToken(context, { token: args.positional('TOKEN') });
  const text =
    token.standing === 'unknown'
      ? pairs([
          ['standing', 'unknown: no token of this store'],
          ['because', token.because],
        ])
      : pairs([
          ['standing', token.standing],
          ['because', token.because],
          ['environment', token.environment],
          ['program', token.programId],
          ['secret', token.secretId],
          ['client', token.clientId],
          ['scope', token.scope || 'none'],
          ['resource', token.resource],
          ['issued', timeText(token.issuedAtMs)],
          ['expires', timeText(token.expiresAtMs)],
          ['jti', token.jti],
        ]);
  return { document: documentOf(token), text };
}

async function revoke({ context, args }: StoreCall): Promise<Output> {
  const { jti, clientId, ...done } = await revokeToken(context, {
    token: args.positional('TOKEN'),
  });
  return changeOutput(done, {
    members: { jti, clientId },
    words: 'Revoked: it is not accepted any more.',
    already: 'Was revoked already; this is the receipt of that.',
    entries: [
      ['client', clientId],
      ['jti', jti],
    ],
  });
}

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const tokens = await listTokens(context, { clientId: args.required('client') });
  return {
    document: documentOf(tokens),
    text: tokenTable(tokens, 'The client was given no token within the last 24 hours.'),
  };
}

export const TOKEN_COMMANDS: readonly Command[] = [
  {
    path: ['token', 'inspect'],
    summary: 'Tell what a token is and whether it is alive.',
    positionals: [TOKEN],
    examples: ['countersign token inspect - < token.txt'],
    run: inspect,
  },
  {
    path: ['token', 'revoke'],
    summary: 'Kill one token.',
    positionals: [TOKEN],
    examples: ['countersign token revoke - < token.txt'],
    changes: true,
    run: revoke,
  },
  {
    path: ['token', 'list'],
    summary: 'List the tokens that a client was given within the last 24 hours.',
    about: 'Newest first, 1,000 at most.',
    options: [{ name: 'client', value: 'ID', required: true, doc: 'Id of the client.' }],
    examples: ['countersign token list --client client_test_4Gq8Zk1LwP0xYb3N'],
    run: listAll,
  },
];
