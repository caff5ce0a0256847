/**
 * Profiles, accounts and transactions, each read and written for one program only: no function here works without a program's
 * id. Money is integer cents; a balance moves only together with the transaction that moves it.
 */

import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Refused } from './answer.ts';
import { inTransaction, openDatabase } from './database.ts';
import { makeOnce, type Once } from './once.ts';
import { type Page, type PageRequest, pagesOf } from './pages.ts';
import { seedProgram } from './sample-data.ts';

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
  readonly created_at: string;
};

export type Payment = Pick<Transaction, 'account_id' | 'amount_cents' | 'description'>;

/** What became of a payment: the bank's answer, which stands whatever the balance is later. */
export type Paid =
  | { readonly transaction: Transaction }
  | { readonly refused: 'insufficient-funds' | 'balance-too-large' };

/** Ten billion units of the currency, far inside what a JavaScript number holds exactly. */
const BALANCE_CENTS_MAX = 1_000_000_000_000;

const PROFILE = 'profile_id, name, email, created_at';
const ACCOUNT = 'account_id, profile_id, name, balance_cents, created_at';
const TRANSACTION =
  'transaction_id, account_id, amount_cents, balance_cents, description, created_at';

export type Store = ReturnType<typeof openStore>;

/** Opens the store in a folder. A program that was never seen before finds sample data at its first call. */
export function openStore(folder: string) {
  const database = openDatabase(folder);
  const find = database.prepare(
    `select ${ACCOUNT} from accounts where program_id = ? and account_id = ?`,
  );
  const account = (programId: string, accountId: string): Account => {
    const found = find.get(programId, accountId) as Account | undefined;
    if (found !== undefined) return found;
    // The same whether it does not exist or belongs to another program.
    throw new Refused('not-found', 'Your program has no account with this id.');
  };
  const transactions = pagesOf<Transaction>(database, {
    table: 'transactions',
    id: 'transaction_id',
    owner: 'account_id',
    columns: TRANSACTION,
    newestFirst: true,
  });
  return {
    welcome: makeWelcome(database),
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
    account,
    transactions: (programId: string, accountId: string, page: PageRequest): Page<Transaction> =>
      transactions(account(programId, accountId).account_id, page),
    pay: makePay(database, account),
    close: (): void => database.close(),
  };
}

/** Makes sure that a program has its sample data. */
function makeWelcome(database: DatabaseSync): (programId: string) => void {
  const known = database.prepare('select 1 from programs where program_id = ?');
  return (programId) => {
    if (known.get(programId) !== undefined) return;
    inTransaction(database, () => {
      if (known.get(programId) === undefined) seedProgram(database, programId);
    });
  };
}

function makeAddProfile(
  database: DatabaseSync,
): (programId: string, profile: Pick<Profile, 'name' | 'email'>) => Profile {
  const insert = database.prepare(
    'insert into profiles (profile_id, program_id, name, email, created_at) values (?, ?, ?, ?, ?) ' +
      `on conflict (program_id, email) do nothing returning ${PROFILE}`,
  );
  return (programId, { name, email }) => {
    const made = insert.get(newId('profile'), programId, name, email, now());
    if (made !== undefined) return made as Profile;
    const detail = 'Your program already has a profile with this email address.';
    throw new Refused('profile-exists', detail);
  };
}

/** The payment, the balance and the key are one transaction of the database: all of them stand, or none. */
function makePay(
  database: DatabaseSync,
  account: (programId: string, accountId: string) => Account,
): (programId: string, key: string, payment: Payment) => Once<Paid> {
  const once = makeOnce(database);
  const move = database.prepare(
    'update accounts set balance_cents = ? where program_id = ? and account_id = ?',
  );
  const insert = database.prepare(
    'insert into transactions (transaction_id, program_id, account_id, amount_cents, balance_cents, description, ' +
      `created_at) values (?, ?, ?, ?, ?, ?, ?) returning ${TRANSACTION}`,
  );
  const pay = (programId: string, payment: Payment): Paid => {
    const { account_id: id, amount_cents: amount, description } = payment;
    const balance = account(programId, id).balance_cents + amount;
    if (balance < 0) return { refused: 'insufficient-funds' };
    if (balance > BALANCE_CENTS_MAX) return { refused: 'balance-too-large' };
    move.run(balance, programId, id);
    const made = [newId('transaction'), programId, id, amount, balance, description, now()];
    return { transaction: insert.get(...made) as Transaction };
  };
  return (programId, key, payment) =>
    once(programId, { key, request: payment }, () => pay(programId, payment));
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(12).toString('hex')}`;
}

function now(): string {
  return new Date().toISOString();
}
