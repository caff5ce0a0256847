/** Outputs that several commands share: what was done and who has acknowledged it, and secrets, shown this once. */

import type { Secret } from '../credentials/secret-value.ts';
import type { Handover } from '../operations/claim-material.ts';
import type { Done } from '../operations/context.ts';
import type { Output } from './command.ts';
import { documentOf } from './document.ts';
import { pairs, receiptText, timeText } from './text.ts';

type Receipt = Done['receipt'];
type Entries = Parameters<typeof pairs>[0];

/** A change: the members that name what it was about beside those of its receipt. */
export function changeOutput(
  done: Done,
  about: {
    readonly members: object;
    readonly words: string;
    readonly already?: string;
    readonly entries?: Entries;
  },
): Output {
  const words = done.changed ? about.words : (about.already ?? about.words);
  return {
    document: documentOf({ ...about.members, changed: done.changed, ...done.receipt }),
    text: `${words} ${receiptText(done.receipt)}\n${pairs(about.entries ?? [])}`,
    complaint: complaintOf(done.receipt),
  };
}

/** A change that hands out a secret: the one place where a secret is printed. */
export function secretOutput(
  made: Done & { readonly clientSecret: Secret },
  about: { readonly members: object; readonly words: string; readonly entries: Entries },
): Output {
  const secret = made.clientSecret.reveal();
  const { document, text, complaint } = changeOutput(made, {
    ...about,
    entries: [...about.entries, ['client_secret', secret]],
  });
  return {
    document: { ...(document as object), client_secret: secret },
    text: `${text}The secret is shown this once and cannot be shown again: store it now.\n`,
    complaint,
  };
}

/** A change that hands out a claim: its link and its passphrase stand on lines of their own, as they go different ways. */
export function claimOutput(
  made: Done & Handover,
  about: { readonly members: object; readonly words: string; readonly entries: Entries },
): Output {
  const { claimId, claimUrl, claimPassphrase, claimExpiresAtMs } = made;
  const { document, text, complaint } = changeOutput(made, {
    ...about,
    members: { ...about.members, claimId, claimExpiresAtMs },
    entries: [
      ...about.entries,
      ['claim_id', claimId],
      ['claim good until', timeText(claimExpiresAtMs)],
      ['claim_url', claimUrl.reveal()],
      ['claim_passphrase', claimPassphrase?.reveal()],
    ],
  });
  const advice =
    claimPassphrase === undefined
      ? 'Whoever opens the link first gets the secret: send it on a way that only its owner reads.\n'
      : 'Send the link and the passphrase on different ways. Neither can be shown again.\n';
  return {
    document: {
      ...(document as object),
      claim_url: claimUrl.reveal(),
      ...(claimPassphrase === undefined ? {} : { claim_passphrase: claimPassphrase.reveal() }),
    },
    text: `${text}${advice}`,
    complaint,
  };
}

/** The receipt itself as a document. */
export function receiptOutput(receipt: Receipt): Output {
  return {
    document: documentOf(receipt),
    text: `${receiptText(receipt)}\n`,
    complaint: complaintOf(receipt),
  };
}

/** An incomplete receipt is no success: somebody may still accept what was killed. */
function complaintOf(receipt: Receipt): string | undefined {
  if (receipt.complete) return undefined;
  return (
    `the change is committed, but not yet acknowledged by ${receipt.waiting.join(', ')}; ` +
    `ask again: countersign receipt ${receipt.sequence}`
  );
}
