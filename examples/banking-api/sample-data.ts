/** What a program finds at its first call: the same people, accounts and payments for everyone, under ids of its own. */

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

const OPENED_AT = Date.UTC(2026, 0, 5, 9);
const DAY_MS = 86_400_000;

const PROFILES = [
  { name: 'Ada Moreau', email: 'ada.moreau@example.com' },
  { name: 'Bao Nguyen', email: 'bao.nguyen@example.com' },
];

const ACCOUNTS = [
  {
    name: 'Everyday',
    holder: 0,
    payments: [
      { amountCents: 250_000, description: 'Salary' },
      { amountCents: -92_000, description: 'Rent' },
      { amountCents: -6_420, description: 'Groceries' },
      { amountCents: -1_290, description: 'Train ticket' },
    ],
  },
  {
    name: 'Savings',
    holder: 0,
    payments: [
      { amountCents: 500_000, description: 'Opening deposit' },
      { amountCents: 1_042, description: 'Interest' },
    ],
  },
  {
    name: 'Business',
    holder: 1,
    payments: [
      { amountCents: 1_280_000, description: 'Invoice 1001' },
      { amountCents: -340_000, description: 'Supplier' },
      { amountCents: -18_900, description: 'Office supplies' },
    ],
  },
];

/** Writes the sample data of one program. Runs inside the caller's transaction, once a program. */
export function seedProgram(database: DatabaseSync, programId: string): void {
  database.prepare('insert into programs (program_id) values (?)').run(programId);
  const profileIds = PROFILES.map((profile, index) => {
    const id = sampleId('profile', programId, index);
    database
      .prepare(
        'insert into profiles (profile_id, program_id, name, email, created_at) values (?, ?, ?, ?, ?)',
      )
      .run(id, programId, profile.name, profile.email, day(0));
    return id;
  });
  for (const [index, account] of ACCOUNTS.entries()) {
    const accountId = sampleId('account', programId, index);
    const balance = account.payments.reduce((sum, { amountCents }) => sum + amountCents, 0);
    database
      .prepare(
        'insert into accounts (account_id, program_id, profile_id, name, balance_cents, created_at) ' +
          'values (?, ?, ?, ?, ?, ?)',
      )
      .run(accountId, programId, profileIds[account.holder] ?? '', account.name, balance, day(0));
    seedPayments(database, { programId, accountId, payments: account.payments });
  }
}

function seedPayments(
  database: DatabaseSync,
  account: {
    readonly programId: string;
    readonly accountId: string;
    readonly payments: readonly { readonly amountCents: number; readonly description: string }[];
  },
): void {
  const { programId, accountId, payments } = account;
  const insert = database.prepare(
    'insert into transactions (transaction_id, program_id, account_id, amount_cents, balance_cents, description, ' +
      'created_at) values (?, ?, ?, ?, ?, ?, ?)',
  );
  let balance = 0;
  for (const [index, { amountCents, description }] of payments.entries()) {
    const id = sampleId('transaction', accountId, index);
    balance += amountCents;
    insert.run(id, programId, accountId, amountCents, balance, description, day(index + 1));
  }
}

/** Ids are unique in the database, so that the same data has other ids in every program. */
function sampleId(kind: string, owner: string, index: number): string {
  const digest = createHash('sha256').update(`sample ${kind} ${index} of ${owner}`).digest('hex');
  return `${kind}_${digest.slice(0, 24)}`;
}

function day(days: number): string {
  return new Date(OPENED_AT + days * DAY_MS).toISOString();
}
