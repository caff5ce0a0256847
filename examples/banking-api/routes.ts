/** The routes of the Banking API: one table that says all of a route, from which requests are served and the API is described. */

import { type Answer, Refused } from './answer.ts';
import { AMOUNT, EMAIL, LINE } from './members.ts';
import type { Once } from './once.ts';
import { openApi } from './openapi.ts';
import type { Page } from './pages.ts';
import { type Route, row } from './route.ts';
import type { Paid, Store } from './store.ts';

/** The table, over a store. */
export function makeRoutes(store: Store, issuer: string): readonly Route[] {
  const routes: readonly Route[] = [
    ...profileRoutes(store),
    ...accountRoutes(store),
    {
      method: 'GET',
      path: '/openapi.json',
      operation: 'describe',
      summary: 'This description',
      answer: [200, 'Description'],
      handle: () => ok(openApi(routes, issuer)),
    },
    {
      method: 'GET',
      path: '/health/live',
      operation: 'isLive',
      summary: 'Whether the process answers',
      answer: [200, 'Health'],
      handle: () => ok({ status: 'live' }),
    },
  ];
  return routes;
}

function profileRoutes(store: Store): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/profiles',
      operation: 'listProfiles',
      summary: 'The profiles of your program',
      scope: 'profiles:read',
      isList: true,
      answer: [200, 'ProfilePage'],
      handle: ({ programId, page }) => list(store.profiles(programId, page)),
    },
    row({
      method: 'POST',
      path: '/v1/profiles',
      operation: 'addProfile',
      summary: 'A new profile',
      scope: 'profiles:write',
      body: { name: LINE, email: EMAIL },
      answer: [201, 'Profile'],
      refusals: ['profile-exists'],
      handle: ({ programId, body }) => made(store.addProfile(programId, body)),
    }),
  ];
}

function accountRoutes(store: Store): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/accounts',
      operation: 'listAccounts',
      summary: 'The accounts of your program',
      scope: 'accounts:read',
      isList: true,
      answer: [200, 'AccountPage'],
      handle: ({ programId, page }) => list(store.accounts(programId, page)),
    },
    {
      method: 'GET',
      path: '/v1/accounts/{account_id}',
      operation: 'getAccount',
      summary: 'One account',
      scope: 'accounts:read',
      answer: [200, 'Account'],
      handle: ({ programId, accountId }) => ok(store.account(programId, accountId)),
    },
    {
      method: 'GET',
      path: '/v1/accounts/{account_id}/transactions',
      operation: 'listTransactions',
      summary: 'The transactions of an account, newest first',
      scope: 'transactions:read',
      isList: true,
      answer: [200, 'TransactionPage'],
      handle: ({ programId, accountId, page }) =>
        list(store.transactions(programId, accountId, page)),
    },
    row({
      method: 'POST',
      path: '/v1/accounts/{account_id}/transactions',
      operation: 'pay',
      summary: 'Pay into an account, or out of it',
      scope: 'transactions:write',
      isOnce: true,
      body: { amount_cents: AMOUNT, description: LINE },
      answer: [201, 'Transaction'],
      refusals: ['insufficient-funds', 'balance-too-large'],
      handle: ({ programId, accountId, key, body }) =>
        paid(store.pay(programId, key, { account_id: accountId, ...body })),
    }),
  ];
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function made(body: unknown): Answer {
  return { status: 201, body };
}

/** An absent `next_cursor`, not an empty one, ends the walk. */
function list<T>({ items, nextCursor }: Page<T>): Answer {
  return ok({ data: items, next_cursor: nextCursor });
}

/** The same answer however often it is asked for; a header tells the first from the others. */
function paid({ outcome, isReplay }: Once<Paid>): Answer {
  const headers = isReplay ? { 'Idempotent-Replayed': 'true' } : {};
  if ('transaction' in outcome) return { ...made(outcome.transaction), headers };
  throw new Refused(outcome.refused, REFUSED[outcome.refused], { headers });
}

const REFUSED = {
  'insufficient-funds': 'Nothing was moved: the balance of the account does not suffice.',
  'balance-too-large': 'Nothing was moved: an account cannot hold that much.',
};
