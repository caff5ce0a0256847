/** What the Banking API's answers look like, as JSON Schema. Knows no route. */

import { PROBLEM_TYPE } from './answer.ts';

const TEXT = { type: 'string' };
const CENTS = { type: 'integer', description: 'Whole cents.' };
const TIME = { type: 'string', format: 'date-time' };

type Properties = Readonly<Record<string, object>>;

const PROFILE = object({ profile_id: TEXT, name: TEXT, email: TEXT, created_at: TIME });
const ACCOUNT = object({
  account_id: TEXT,
  profile_id: TEXT,
  name: TEXT,
  balance_cents: CENTS,
  created_at: TIME,
});
const TRANSACTION = object({
  transaction_id: TEXT,
  account_id: TEXT,
  amount_cents: CENTS,
  balance_cents: { ...CENTS, description: "The account's balance after it, in whole cents." },
  description: TEXT,
  created_at: TIME,
});

export const SHAPES = {
  Profile: PROFILE,
  ProfilePage: page('Profile'),
  Account: ACCOUNT,
  AccountPage: page('Account'),
  Transaction: TRANSACTION,
  TransactionPage: page('Transaction'),
  Health: object({ status: { const: 'live' } }),
  Description: { type: 'object', description: 'OpenAPI 3.1' },
  Problem: {
    ...object(
      {
        type: { type: 'string', description: `${PROBLEM_TYPE} and a name: programs go by it.` },
        title: TEXT,
        status: { type: 'integer' },
        detail: { type: 'string', description: 'What to do, for people.' },
        request_id: { type: 'string', description: 'That of X-Request-Id: tell it to support.' },
      },
      {
        error: { type: 'string', description: 'The code of RFC 6750, where a token was refused.' },
        errors: { type: 'array', items: { $ref: '#/components/schemas/ProblemPlace' } },
      },
    ),
    description: 'Problem details (RFC 9457).',
  },
  ProblemPlace: object(
    { detail: TEXT },
    {
      pointer: { type: 'string', description: 'JSON pointer into the body.' },
      parameter: { type: 'string', description: 'Name of a query parameter or header.' },
    },
  ),
} as const;

export type ShapeName = keyof typeof SHAPES;

function object(required: Properties, optional: Properties = {}) {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

function page(item: string) {
  const data = { type: 'array', items: { $ref: `#/components/schemas/${item}` } };
  return object({ data }, { next_cursor: { ...TEXT, description: 'Absent: this is the end.' } });
}
