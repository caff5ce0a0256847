/** The page of policies, made from the table that every door obeys. */

import { policyValues } from '../../server/src/operations/policies.ts';
import { POLICIES } from '../../server/src/ports/policies.ts';
import { madeFrom, tableOf } from './table.ts';

const intro = `# Policies

What an installation has decided for everybody who works with it, whichever door they come through: the command line, the admin
API, the duties of the nodes. They stand in the store, so that nobody gets round one by another configuration file. \`countersign policy
list\` shows them, \`countersign policy set NAME VALUE\` sets one: an audited change with a receipt, after which every node follows it.`;

/** The whole page. */
export const policiesPage = (): string => {
  const rows = Object.entries(POLICIES).map(([name, policy]) => [
    `\`${name}\``,
    policyValues(policy),
    `\`${policy.fallback}\``,
    policy.doc,
  ]);
  const table = tableOf(['policy', 'may be', 'until it is set', 'decides'], rows);
  return `${[madeFrom('POLICIES in server/src/ports/policies.ts'), intro, table].join('\n\n')}\n`;
};
