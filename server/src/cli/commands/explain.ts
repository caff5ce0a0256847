/** The command that explains a refusal by the id that the partner was given. */

import { explainRequest } from '../../operations/explain-request.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { pairs, timeText } from '../text.ts';

async function explain({ context, args }: StoreCall): Promise<Output> {
  const found = await explainRequest(context, { requestId: args.positional('REQUEST_ID') });
  const { client, program, secret } = found;
  const text = pairs([
    ['refused', timeText(found.refusedAtMs)],
    ['because', found.reason],
    ['means', found.means],
    ['check', found.check],
    ['tell the partner', found.tell],
    ['asked', found.endpoint],
    ['environment', found.environment],
    ['client', client && `${client.clientId} (${client.name}), now ${client.state}`],
    ['program', program && `${program.programId} (${program.name}), now ${stateOf(program)}`],
    ['secret', secret && `${secret.secretId} (…${secret.hint}), now ${secret.state}`],
    ['in the node’s log', found.nodeRequestId],
  ]);
  return { document: documentOf(found), text };
}

function stateOf(program: { readonly suspended: boolean }): string {
  return program.suspended ? 'suspended' : 'active';
}

export const EXPLAIN_COMMAND: Command = {
  path: ['explain'],
  summary: 'Tell why a request was refused, by its X-Request-Id.',
  about:
    'Every refusal to an outsider carries such an id. It is opened, not looked up, so that it may be of any age and of any node. Client, program and secret are shown as they are now.',
  positionals: [
    {
      name: 'REQUEST_ID',
      doc: 'The id, as the answer carried it: req_ and 70 letters and digits.',
    },
  ],
  examples: ['countersign explain req_0G4aGk2…'],
  run: explain,
};
