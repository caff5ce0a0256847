/** Puts the store under another master key: whatever is wrapped under it is wrapped anew, and none of it changed. */

import type { MasterKey } from '../credentials/key-wrapping.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { invalid } from './input.ts';
import { signingKeyName } from './signing-key.ts';
import { webhookName } from './webhook-name.ts';

export type Rewrapped = Done & {
  /** Fingerprints of the master keys. */
  readonly before: string;
  readonly after: string;
  /** Root keys that were wrapped anew. */
  readonly keys: number;
};

/** Re-wraps every root key, retired ones too. Throws `ChangeRefused`, also while a server runs. */
export async function rewrapKeys(
  context: OperationContext,
  input: { readonly master: MasterKey },
): Promise<Rewrapped> {
  const { directory, checkpoints, webhooks, keyRing, clock } = context;
  const before = keyRing.masterKeyCheck();
  const after = input.master.fingerprint();
  if (before === after) throw invalid('the new master key is the present one: give another');
  await writeOffTheDead(context);
  const roots = (await directory.keys(clock.wallMs())).map((key) => ({
    before: key.wrapped,
    after: keyRing.rewrap(key, input.master),
  }));
  const signing = (await checkpoints.signingKeys()).map(({ keyId, wrapped }) => ({
    before: wrapped,
    after: keyRing.rewrapNamed(wrapped, signingKeyName(keyId), input.master),
  }));
  const sending = (await webhooks.list()).flatMap(({ webhookId, wrapped }) =>
    wrapped === undefined
      ? []
      : {
          before: wrapped,
          after: keyRing.rewrapNamed(wrapped, webhookName(webhookId), input.master),
        },
  );
  const wrapped = [...roots, ...signing, ...sending];
  const done = await commitAndAwait(context, { kind: 'key.rewrap', before, after, wrapped });
  return { before, after, keys: roots.length, ...done };
}

/** A process that was killed has left its row behind; it decides nothing any more and needs no key. */
async function writeOffTheDead({ nodes }: Pick<OperationContext, 'nodes'>): Promise<void> {
  for (const { node, renewals } of await nodes.list()) {
    if (await nodes.isDead(node)) await nodes.fence(node, renewals);
  }
}
