/** The commands of claims. They are made by `client create`, `secret create` and `secret rotate`. */

import { type ListedClaim, listClaims, showClaim } from '../../operations/read-claims.ts';
import { revokeClaim } from '../../operations/revoke-claim.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, pairs, timeText } from '../text.ts';

const CLAIM_ID = { name: 'CLAIM_ID', doc: 'Id of the claim: clm_…' };
const MADE_BY = 'A claim is made by --claim of client create, secret create and secret rotate.';

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const claims = await listClaims(context, { clientId: args.option('client') });
  return {
    document: claims.map(claimDocument),
    text: list(
      ['CLAIM', 'STATE', 'CLIENT', 'FOR', 'CREATED', 'GOOD UNTIL', 'USED', 'FROM', 'BY'],
      claims.map((claim) => [
        claim.claimId,
        claim.state,
        claim.clientId,
        claim.purpose,
        timeText(claim.createdAtMs) ?? '',
        timeText(claim.expiresAtMs) ?? '',
        timeText(claim.usedAtMs) ?? '-',
        claim.usedFrom ?? '-',
        claim.createdBy,
      ]),
      `There is no claim. ${MADE_BY}`,
    ),
  };
}

async function show({ context, args }: StoreCall): Promise<Output> {
  const claim = await showClaim(context, { claimId: args.positional('CLAIM_ID') });
  return {
    document: claimDocument(claim),
    text: pairs([
      ['claim', claim.claimId],
      ['state', claim.state],
      ['client', `${claim.clientId} (${claim.clientName})`],
      ['for', claim.purpose === 'create' ? 'a secret' : 'a rotation'],
      ['passphrase', claim.needsPassphrase ? 'yes' : 'no'],
      ['wrong passphrases', String(claim.failures)],
      ['created', timeText(claim.createdAtMs)],
      ['by', claim.createdBy],
      ['good until', timeText(claim.expiresAtMs)],
      ['used', timeText(claim.usedAtMs)],
      ['used from', claim.usedFrom],
      ['secret', claim.secretId],
      ['stopped by its holder', timeText(claim.stoppedAtMs)],
      ['revoked', timeText(claim.revokedAtMs)],
    ]),
  };
}

function claimDocument(claim: ListedClaim): unknown {
  return documentOf(claim);
}

async function revoke({ context, args }: StoreCall): Promise<Output> {
  const claimId = args.positional('CLAIM_ID');
  const done = await revokeClaim(context, { claimId });
  return changeOutput(done, {
    members: { claimId },
    words: 'Revoked: its link shows no secret any more.',
    already: 'Was revoked already; this is the receipt of that.',
  });
}

export const CLAIM_COMMANDS: readonly Command[] = [
  {
    path: ['claim', 'list'],
    summary: 'List the claims, and what became of them.',
    about: `${MADE_BY} What ended more than 90 days ago is in the audit trail only.`,
    options: [{ name: 'client', value: 'CLIENT_ID', doc: 'Only those of a client.' }],
    examples: ['countersign claim list --client client_test_4Gq8Zk1LwP0xYb3N'],
    run: listAll,
  },
  {
    path: ['claim', 'show'],
    summary: 'Show a claim: whether it was used, when and from where.',
    positionals: [CLAIM_ID],
    examples: ['countersign claim show clm_7Hd0Vq3TzM5kXw9B'],
    run: show,
  },
  {
    path: ['claim', 'revoke'],
    summary: 'End a claim that was not used yet.',
    about: 'Making another claim for the same client does that as well.',
    positionals: [CLAIM_ID],
    examples: ['countersign claim revoke clm_7Hd0Vq3TzM5kXw9B'],
    changes: true,
    run: revoke,
  },
];
