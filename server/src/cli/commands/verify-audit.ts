/** `countersign audit verify`: the trail of the store, or an export of it without any store. */

import { isPublicKey } from '../../credentials/checkpoint.ts';
import { keysById } from '../../operations/audit-records.ts';
import { type KeptOutside, verifyAudit } from '../../operations/verify-audit.ts';
import { verifyExport } from '../../operations/verify-export.ts';
import { linesOf, readCheckpoints } from '../audit-files.ts';
import {
  type Arguments,
  type Command,
  type MachineCall,
  type Output,
  UsageError,
} from '../command.ts';
import { documentOf } from '../document.ts';

const PATH = ['audit', 'verify'];

async function verify(call: MachineCall): Promise<Output> {
  const kept = await keptOutside(call.args);
  const file = call.args.positional('FILE');
  return file === '' ? await verifyStore(call, kept) : await verifyFile(file, kept);
}

async function keptOutside(args: Arguments): Promise<KeptOutside> {
  const publicKey = args.option('public-key');
  if (publicKey !== undefined && !isPublicKey(publicKey)) {
    throw new UsageError(
      '--public-key: expected the 43 characters that audit checkpoint prints',
      PATH,
    );
  }
  const file = args.option('checkpoint');
  const kept = file === undefined ? undefined : await readCheckpoints(file);
  const publicKeys = publicKey === undefined ? kept?.publicKeys : keysById([publicKey]);
  return {
    ...(kept === undefined ? {} : { checkpoints: kept.checkpoints }),
    ...(publicKeys === undefined ? {} : { publicKeys }),
  };
}

async function verifyStore({ flags, deps }: MachineCall, kept: KeptOutside): Promise<Output> {
  const { context, close } = await deps.open(deps.readConfig(flags));
  const verdict = await verifyAudit(context, kept).finally(close);
  if (!verdict.intact) return brokenOutput(verdict);
  return {
    document: documentOf(verdict),
    text:
      `Intact: ${verdict.lines} lines, each chained to the one before${signedText(verdict)}.\n` +
      `Hash of the last line: ${verdict.headHash}\n`,
  };
}

async function verifyFile(file: string, kept: KeptOutside): Promise<Output> {
  const verdict = await verifyExport(() => linesOf(file), kept);
  if (!verdict.intact) return brokenOutput(verdict);
  const { lines, from, to, key } = verdict;
  const which = lines === 0 ? 'no line' : `lines ${from} to ${to}`;
  const stated =
    key === 'stated'
      ? 'The signatures were checked with the key that the export itself names: compare it with the one you know (--public-key).\n'
      : '';
  return {
    document: documentOf(verdict),
    text:
      `Intact: ${which}, each chained to the one before${signedText(verdict)}.\n` +
      `Hash of the last line: ${verdict.headHash}\n${stated}`,
  };
}

function signedText({ signedTo }: { signedTo: number }): string {
  return signedTo === 0
    ? '; no checkpoint vouches for them'
    : `, signed for up to line ${signedTo}`;
}

function brokenOutput(verdict: { firstBad: number; problem: string }): Output {
  const complaint = `the audit trail is broken at line ${verdict.firstBad}: ${verdict.problem}`;
  return { document: documentOf(verdict), text: '', complaint };
}

export const VERIFY_COMMAND: Command = {
  path: PATH,
  summary: 'Check the audit trail, or an export of it; names the first line that is wrong.',
  about:
    'Finds an edit, a gap, a reordering and a cut tail, and every forgery that a checkpoint speaks against. With FILE, an export is\n' +
    'checked without any store or key. Whoever can rewrite the store and reach its master key is found only with a checkpoint that\n' +
    'was kept elsewhere: give it with --checkpoint.',
  positionals: [
    { name: 'FILE', doc: 'An export; left out, the trail of the store.', optional: true },
  ],
  options: [
    {
      name: 'checkpoint',
      value: 'FILE',
      doc: 'Checkpoints that were kept elsewhere: as audit checkpoint --json printed them, or a shipped trail.',
    },
    {
      name: 'public-key',
      value: 'KEY',
      doc: 'The public key that audit checkpoint prints; no other is believed then.',
    },
  ],
  examples: [
    'countersign audit verify',
    'countersign audit verify audit.jsonl --checkpoint checkpoint.json',
  ],
  start: verify,
};
