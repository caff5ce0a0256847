/** The page of errors: each answer as the bridge gives it, with the reasons behind it. */

import {
  type BearerReason,
  bearerRefusal,
  type Reason,
  type Refusal,
  type Wire,
  wireOf,
} from '../../protocol/src/index.ts';
import { explainedReasons } from '../../server/src/operations/explained-reasons.ts';
import { type Explained, explainedBearerReasons } from './explained-reasons.ts';
import { madeFrom, tableOf } from './table.ts';

/** What an example of a refusal says, where its text depends on the request. */
const examples: Partial<Record<Reason, object>> = {
  'other-environment': {
    presented: 'production',
    here: 'sandbox',
    tokenEndpoint: 'https://auth.bank.example/production/token',
  },
  'missing-parameter': { parameter: 'grant_type' },
  'repeated-parameter': { parameter: 'client_id' },
  'parameter-in-query-and-body': { parameter: 'scope' },
  'method-not-allowed': { allow: 'POST' },
  'quota-reached': { tokenLifetimeSeconds: 3600 },
};

const intro = `# Errors

Every refusal is JSON with two members: \`error\`, the code to branch on, and \`error_description\`, words for people that say what
to do next. The words may change between versions. Nothing that a caller sent is repeated in them. The \`X-Request-Id\` header names the request. The id of a
refusal says all that is in this table and more to \`countersign explain\`, and nothing to anybody else ([how support uses it](../operating/support.md)). It stands in
the header alone: RFC 6749 §5.2 has no member for it, and answers that must not be told apart stay the same byte for byte.

The reason in the first column stands in the log (field \`reason\`) and never on the wire. Where one answer has several reasons, they look the same from outside, byte for byte, on purpose: who tries credentials learns nothing from the
difference.

**When to repeat a request:** 429 and 503, after as many seconds as \`Retry-After\` says. 408 at once. Nothing else gets better
by itself.`;

const bearerIntro = `## At the bank's API

What a resource server answers (RFC 6750), by \`bearerRefusal\` in \`protocol/src/bearer.ts\`. What stands on \`@countersign/resource-server\` cannot tell
expired from revoked, since introspection does not; it says one sentence for both.`;

type Row = { readonly answer: Wire; readonly reasons: readonly [string, Explained][] };

const rowsOf = (): readonly Row[] => {
  const rows = new Map<string, { answer: Wire; reasons: [string, Explained][] }>();
  for (const [reason, explained] of Object.entries(explainedReasons) as [Reason, Explained][]) {
    const answer = wireOf({ reason, ...examples[reason] } as Refusal);
    const key = `${answer.status} ${answer.error} ${answer.description}`;
    const row = rows.get(key) ?? { answer, reasons: [] };
    row.reasons.push([`\`${reason}\``, explained]);
    rows.set(key, row);
  }
  const order = ({ answer }: Row): string => `${answer.status} ${answer.error}`;
  return [...rows.values()].sort((a, b) => order(a).localeCompare(order(b)));
};

const sectionOf = ({ answer, reasons }: Row): string => {
  const headers = Object.keys(answer.headers).map((name) => `\`${name}\``);
  const also = headers.length === 0 ? '' : ` With ${headers.join(' and ')}.`;
  const rows = reasons.map(([reason, { cause, check }]) => [reason, cause, check]);
  return [
    `> ${answer.description}${also === '' ? '' : `\n\n${also.trim()}`}`,
    tableOf(['reason', 'cause', 'what to check'], rows),
  ].join('\n\n');
};

const authoritySections = (): readonly string[] => {
  const sections: string[] = [];
  let heading = '';
  for (const row of rowsOf()) {
    const { status, error } = row.answer;
    const next = `### ${status} ${error}`;
    if (next !== heading) sections.push(next);
    heading = next;
    sections.push(sectionOf(row));
  }
  return sections;
};

const bearerTable = (): string => {
  const rows = (Object.entries(explainedBearerReasons) as [BearerReason, Explained][]).map(
    ([reason, { cause, check }]) => {
      const { status, error, description } = bearerRefusal('bank', reason);
      return [`${status}${error === undefined ? '' : ` \`${error}\``}`, description, cause, check];
    },
  );
  return tableOf(['answer', 'words', 'cause', 'what to check'], rows);
};

/** The whole page. */
export const errorsPage = (): string => {
  const parts = [
    madeFrom('protocol/src/wire.ts and server/src/operations/explained-reasons.ts'),
    intro,
    '## At the authority',
    ...authoritySections(),
    bearerIntro,
    bearerTable(),
  ];
  return `${parts.join('\n\n')}\n`;
};
