/**
 * Profiles, accounts and transactions, each read and written for one program only: no function here works without a program's
 * id. Money is integer cents; a balance moves only together with the transaction that moves it.
 */

import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Page, type PageRequest, pagesOf } from './pages.ts';
import { seedProgram } from './sample-data.ts';
import { inTransaction, openDatabase } from './schema.ts';

export type Profile = {
  readonly profile_id: string;
  readonly name: string;
  readonly email: string;
  readonly created_at: string;
};

export type Account = {
  readonly account_id: string;
  readonly profile_id: string;
  readonly name: string;
  readonly balance_cents: number;
  readonly created_at: string;
};

export type Transaction = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly amount_cents: number;
  /** The account's balance after it. */
  readonly balance_cents: number;
  readonly description: string;
  readonly idempotency_id: string;
  readonly created_at: string;
};

export type NewTransaction = Pick<
  Transaction,
  'account_id' | 'amount_cents' | 'description' | 'idempotency_id'
>;

/** What became of a payment; `replayed` is the first one again, and `conflict` an id that was used for another. */
export type Posted =
  | { readonly outcome: 'created' | 'replayed'; readonly transaction: Transaction }
  | { readonly outcome: 'conflict' | 'no-account' | 'below-zero' | 'above-maximum' };

/** Far inside what a JavaScript number holds exactly. */
const BALANCE_CENTS_MAX = 1_000_000_000_000_000;

const PROFILE = 'profile_id, name, email, created_at';
const ACCOUNT = 'account_id, profile_id, name, balance_cents, created_at';
const TRANSACTION =
  'transaction_id, account_id, amount_cents, balance_cents, description, idempotency_id, created_at';

export type Store = ReturnType<typeof openStore>;

/** Opens the store in a folder. A program that was never seen before finds sample data at its first call. */
export function openStore(folder: string) {
  const database = openDatabase(folder);
  const known = database.prepare('select 1 from programs where program_id = ?');
  const account = database.prepare(
    `select ${ACCOUNT} from accounts where program_id = ? and account_id = ?`,
  );
  return {
    /** Makes sure that the program has its sample data. */
    welcome: (programId: string): void => {
      if (known.get(programId) !== undefined) return;
      inTransaction(database, () => {
        if (known.get(programId) === undefined) seedProgram(database, programId);
      });
    },
    profiles: pagesOf<Profile>(database, {
      table: 'profiles',
      id: 'profile_id',
      owner: 'program_id',
      columns: PROFILE,
      newestFirst: false,
    }),
    addProfile: makeAddProfile(database),
    accounts: pagesOf<Account>(database, {
      table: 'accounts',
      id: 'account_id',
      owner: 'program_id',
      columns: ACCOUNT,
      newestFirst: false,
    }),
    account: (programId: string, accountId: string): Account | undefined =>
      account.get(programId, accountId) as Account | undefined,
    transactions: makeTransactions(database),
    post: makePost(database),
    close: (): void => database.close(),
  };
}

/** Undefined: the program has a profile with this address already. */
function makeAddProfile(
  database: DatabaseSync,
): (programId: string, profile: Pick<Profile, 'name' | 'email'>) => Profile | undefined {
  const insert = database.prepare(
    'insert into profiles (profile_id, program_id, name, email, created_at) values (?, ?, ?, ?, ?) ' +
      `on conflict (program_id, email) do nothing returning ${PROFILE}`,
  );
  return (programId, { name, email }) =>
    insert.get(newId('profile'), programId, name, email, now()) as Profile | undefined;
}

/** Undefined: the program has no such account. */
function makeTransactions(
  database: DatabaseSync,
): (programId: string, accountId: string, request: PageRequest) => Page<Transaction> | undefined {
  const owns = database.prepare('select 1 from accounts where program_id = ? and account_id = ?');
  const pages = pagesOf<Transaction>(database, {
    table: 'transactions',
    id: 'transaction_id',
    owner: 'account_id',
    columns: TRANSACTION,
    newestFirst: true,
  });
  return (programId, accountId, request) =>
    owns.get(programId, accountId) === undefined ? undefined : pages(accountId, request);
}

/** The payment and the balance are one transaction of the database: either both stand, or neither. */
function makePost(database: DatabaseSync): (programId: string, wanted: NewTransaction) => Posted {
  const balanceOf = database.prepare(
    'select balance_cents from accounts where program_id = ? and account_id = ?',
  );
  const earlier = database.prepare(
    `select ${TRANSACTION} from transactions where program_id = ? and idempotency_id = ?`,
  );
  const move = database.prepare(
    'update accounts set balance_cents = ? where program_id = ? and account_id = ?',
  );
  const insert = database.prepare(
    'insert into transactions (transaction_id, program_id, account_id, amount_cents, balance_cents, description, ' +
      `idempotency_id, created_at) values (?, ?, ?, ?, ?, ?, ?, ?) returning ${TRANSACTION}`,
  );
  const post = (programId: string, wanted: NewTransaction): Posted => {
    const { account_id: accountId, amount_cents: amount, description, idempotency_id: id } = wanted;
    const account = balanceOf.get(programId, accountId);
    if (account === undefined) return { outcome: 'no-account' };
    const first = earlier.get(programId, id) as Transaction | undefined;
    if (first !== undefined) {
      if (!isSame(first, wanted)) return { outcome: 'conflict' };
      return { outcome: 'replayed', transaction: first };
    }
    const balance = Number(account['balance_cents']) + amount;
    if (balance < 0) return { outcome: 'below-zero' };
    if (balance > BALANCE_CENTS_MAX) return { outcome: 'above-maximum' };
    move.run(balance, programId, accountId);
    const row = insert.get(
      newId('transaction'),
      programId,
      accountId,
      amount,
      balance,
      description,
      id,
      now(),
    );
    return { outcome: 'created', transaction: row as Transaction };
  };
  return (programId, wanted) => inTransaction(database, () => post(programId, wanted));
}

function isSame(first: Transaction, wanted: NewTransaction): boolean {
  return (
    first.account_id === wanted.account_id &&
    first.amount_cents === wanted.amount_cents &&
    first.description === wanted.description
  );
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(12).toString('hex')}`;
}

function now(): string {
  return new Date().toISOString();
}
