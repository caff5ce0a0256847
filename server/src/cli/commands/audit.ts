/** The commands of the audit trail. */

import { checkpointDocument } from '../../operations/audit-records.ts';
import { exportAudit } from '../../operations/export-audit.ts';
import { parseWhole } from '../../operations/input.ts';
import { listAudit } from '../../operations/list-audit.ts';
import { makeCheckpoint } from '../../operations/make-checkpoint.ts';
import { writeAll, writeNewFile } from '../audit-files.ts';
import type { Command, MachineCall, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { list, pairs, timeText } from '../text.ts';
import { VERIFY_COMMAND } from './verify-audit.ts';

const LINES = 50;
const LINES_MAX = 10_000;
const WHOLE = { min: 0, max: Number.MAX_SAFE_INTEGER };

async function listLines({ context, args }: StoreCall): Promise<Output> {
  const limit = args.option('limit');
  const after = args.option('after');
  const lines = await listAudit(context, {
    limit: limit === undefined ? LINES : parseWhole('--limit', limit, { min: 1, max: LINES_MAX }),
    after: after === undefined ? undefined : parseWhole('--after', after, WHOLE),
  });
  const rows = lines.map((line) => [
    String(line.sequence),
    timeText(line.atMs) ?? '',
    line.actor,
    line.action,
    line.target,
  ]);
  return {
    document: documentOf(lines),
    text: list(['LINE', 'TIME', 'ACTOR', 'ACTION', 'TARGET'], rows, 'There is no line after that.'),
  };
}

async function checkpoint({ context }: StoreCall): Promise<Output> {
  const { checkpoint: signed, publicKey, made } = await makeCheckpoint(context);
  const document = { ...checkpointDocument(signed), public_key: publicKey, made };
  const { sequence, hash, atMs, incarnation, keyId, signature } = signed;
  return {
    document,
    text:
      `${made ? 'Signed' : 'Nothing was written since; signed earlier'}: line ${sequence} of the audit trail.\n` +
      pairs([
        ['hash', hash],
        ['at', timeText(atMs)],
        ['incarnation', incarnation],
        ['key_id', keyId],
        ['public_key', publicKey],
        ['signature', signature],
      ]) +
      'Keep the JSON of it (--json) where nobody who reaches the store can change it.\n',
  };
}

/** The export itself is what is printed, unless it goes to a file. */
async function exportLines({ args, flags, deps }: MachineCall): Promise<number | Output> {
  const after = args.option('after');
  const file = args.option('out');
  const { context, close } = await deps.open(deps.readConfig(flags));
  try {
    const pieces = exportAudit(context, {
      after: after === undefined ? undefined : parseWhole('--after', after, WHOLE),
    });
    if (file === undefined) {
      await writeAll(pieces, deps.stdout);
      return 0;
    }
    const done = await writeNewFile(pieces, file);
    return {
      document: { file, ...done },
      text: `Exported lines ${done.after + 1} to ${done.to} to ${file}, with ${done.checkpoints} checkpoints.\n`,
    };
  } finally {
    await close();
  }
}

export const AUDIT_COMMANDS: readonly Command[] = [
  {
    path: ['audit', 'list'],
    summary: 'List the newest lines of the audit trail.',
    options: [
      {
        name: 'limit',
        value: 'N',
        doc: `How many lines (default ${LINES}, at most ${LINES_MAX}).`,
      },
      { name: 'after', value: 'N', doc: 'Lines from N + 1 on, instead of the newest.' },
    ],
    examples: ['countersign audit list --limit 200'],
    run: listLines,
  },
  VERIFY_COMMAND,
  {
    path: ['audit', 'checkpoint'],
    summary: 'Sign where the audit trail stands now, and print the checkpoint with its public key.',
    about:
      'A running server does so by itself at least every minute while there are changes, or every 1,000 lines. Nothing is signed\n' +
      'when the lines since the last checkpoint are not what they were.',
    examples: ['countersign audit checkpoint --json > checkpoint.json'],
    run: checkpoint,
  },
  {
    path: ['audit', 'export'],
    summary:
      'Write the audit trail with its checkpoints as lines of JSON, verifiable without the store.',
    about: 'That it was exported is a line of the trail itself, and the last one of the export.',
    options: [
      { name: 'after', value: 'N', doc: 'Lines from N + 1 on; left out, all of them.' },
      { name: 'out', value: 'FILE', doc: 'A new file, instead of standard output.' },
    ],
    examples: [
      'countersign audit export --out audit.jsonl',
      "countersign audit export --after 5000 | jq -c 'select(.line).line | fromjson'",
    ],
    start: exportLines,
  },
];
