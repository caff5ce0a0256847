/** The commands of the audit trail. */

import { parseWhole } from '../../operations/input.ts';
import { listAudit } from '../../operations/list-audit.ts';
import { verifyAudit } from '../../operations/verify-audit.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { list, timeText } from '../text.ts';

const LINES = 50;
const LINES_MAX = 10_000;

async function listLines({ context, args }: StoreCall): Promise<Output> {
  const limit = args.option('limit');
  const after = args.option('after');
  const lines = await listAudit(context, {
    limit: limit === undefined ? LINES : parseWhole('--limit', limit, { min: 1, max: LINES_MAX }),
    after:
      after === undefined
        ? undefined
        : parseWhole('--after', after, { min: 0, max: Number.MAX_SAFE_INTEGER }),
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

async function verify({ context }: StoreCall): Promise<Output> {
  const verdict = await verifyAudit(context);
  const document = documentOf(verdict);
  if (verdict.intact) {
    const text =
      `Intact: ${verdict.lines} lines, each chained to the one before.\n` +
      `Hash of the last line: ${verdict.headHash}\n`;
    return { document, text };
  }
  const complaint = `the audit trail is broken at line ${verdict.firstBad}: ${verdict.problem}`;
  return { document, text: '', complaint };
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
  {
    path: ['audit', 'verify'],
    summary: 'Check the chain of the audit trail; names the first line that is wrong.',
    about:
      'Finds an edit, a gap, a reordering and a cut tail. Whoever can rewrite every later line and the recorded end as well is\n' +
      'found only by comparing the printed hash with a copy that is kept elsewhere.',
    examples: ['countersign audit verify'],
    run: verify,
  },
];
