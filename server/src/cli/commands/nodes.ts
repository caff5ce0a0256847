/** The commands about nodes and what they have acknowledged. */

import { parseWhole } from '../../operations/input.ts';
import { listNodes } from '../../operations/list-nodes.ts';
import { readReceipt } from '../../operations/read-receipt.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { receiptOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';

async function receipt({ context, args }: StoreCall): Promise<Output> {
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const sequence = parseWhole('N', args.positional('N'), range);
  return receiptOutput(await readReceipt(context, { sequence }));
}

async function nodes({ context }: StoreCall): Promise<Output> {
  const found = await listNodes(context);
  const rows = found.map((node) => [
    node.node,
    node.state,
    String(node.behind),
    node.listen,
    node.process,
    timeText(node.startedAtMs) ?? '',
    node.version,
  ]);
  return {
    document: documentOf(found),
    text: list(
      ['NODE', 'STATE', 'BEHIND', 'LISTEN', 'PROCESS', 'STARTED', 'VERSION'],
      rows,
      'No node is running.',
    ),
  };
}

export const NODE_COMMANDS: readonly Command[] = [
  {
    path: ['receipt'],
    summary: 'Show who has acknowledged a change, by its number.',
    positionals: [{ name: 'N', doc: 'Number of the receipt, as the change printed it.' }],
    examples: ['countersign receipt 42'],
    changes: true,
    run: receipt,
  },
  {
    path: ['nodes'],
    summary: 'List the server processes and how far each follows the change log.',
    examples: ['countersign nodes'],
    run: nodes,
  },
];
