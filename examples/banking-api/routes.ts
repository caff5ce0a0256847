/** The routes of the Banking API: a table of method, path, scope and what is done there, for the program of the token. */

import type { IncomingMessage } from 'node:http';
import { type Answer, failure, invalidRequest, notFound, Refused } from './answer.ts';
import { amountMember, emailMember, idMember, readMembers, textMember } from './body.ts';
import type { Page, PageRequest } from './pages.ts';
import type { Posted, Store } from './store.ts';

const PAGE_ITEMS_DEFAULT = 20;
const PAGE_ITEMS_MAX = 100;

export type Call = {
  /** Whose token it is: the only program whose data this call may touch. */
  readonly programId: string;
  /** What stands in the path in place of `{id}`. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
};

export type Route = {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly scope: string;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};

const PROFILES = /^\/v1\/profiles$/;
const ACCOUNTS = /^\/v1\/accounts$/;
const ACCOUNT = /^\/v1\/accounts\/(\w{1,64})$/;
const TRANSACTIONS = /^\/v1\/accounts\/(\w{1,64})\/transactions$/;

/** The table, over a store. */
export function makeRoutes(store: Store): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PROFILES,
      scope: 'profiles:read',
      handle: ({ programId, query }) => list(store.profiles(programId, pageRequest(query))),
    },
    {
      method: 'POST',
      path: PROFILES,
      scope: 'profiles:write',
      handle: (call) => addProfile(store, call),
    },
    {
      method: 'GET',
      path: ACCOUNTS,
      scope: 'accounts:read',
      handle: ({ programId, query }) => list(store.accounts(programId, pageRequest(query))),
    },
    {
      method: 'GET',
      path: ACCOUNT,
      scope: 'accounts:read',
      handle: ({ programId, id }) => {
        const account = store.account(programId, id);
        if (account === undefined) throw notFound();
        return { status: 200, body: account };
      },
    },
    {
      method: 'GET',
      path: TRANSACTIONS,
      scope: 'transactions:read',
      handle: ({ programId, id, query }) => {
        const page = store.transactions(programId, id, pageRequest(query));
        if (page === undefined) throw notFound();
        return list(page);
      },
    },
    {
      method: 'POST',
      path: TRANSACTIONS,
      scope: 'transactions:write',
      handle: (call) => postTransaction(store, call),
    },
  ];
}

async function addProfile(store: Store, { programId, request }: Call): Promise<Answer> {
  const members = await readMembers(request, ['name', 'email']);
  const profile = store.addProfile(programId, {
    name: textMember(members, 'name'),
    email: emailMember(members, 'email'),
  });
  if (profile !== undefined) return { status: 201, body: profile };
  const description = 'Your program already has a profile with this email address.';
  throw new Refused(failure({ status: 409, code: 'conflict', description }));
}

async function postTransaction(store: Store, { programId, id, request }: Call): Promise<Answer> {
  const members = await readMembers(request, ['amount_cents', 'description', 'idempotency_id']);
  const posted = store.post(programId, {
    account_id: id,
    amount_cents: amountMember(members, 'amount_cents'),
    description: textMember(members, 'description'),
    idempotency_id: idMember(members, 'idempotency_id'),
  });
  return answerPosted(posted);
}

function answerPosted(posted: Posted): Answer {
  const refuse = (status: number, code: string, description: string): Answer =>
    failure({ status, code, description });
  switch (posted.outcome) {
    case 'created':
      return { status: 201, body: posted.transaction };
    case 'replayed':
      return { status: 200, body: posted.transaction };
    case 'no-account':
      throw notFound();
    case 'conflict':
      return refuse(
        409,
        'conflict',
        'Your program used this idempotency_id for another transaction. Make a new one for each.',
      );
    case 'below-zero':
      return refuse(422, 'insufficient_funds', 'The balance of the account does not suffice.');
    case 'above-maximum':
      return refuse(422, 'balance_too_large', 'An account cannot hold that much.');
  }
}

function list<T>({ items, nextCursor }: Page<T>): Answer {
  // An absent member, not an empty one, ends the walk.
  return { status: 200, body: { data: items, next_cursor: nextCursor } };
}

function pageRequest(query: URLSearchParams): PageRequest {
  const one = (name: string): string | undefined => {
    const values = query.getAll(name);
    if (values.length > 1) throw invalidRequest(`${name} stands in the URL more than once.`);
    return values[0];
  };
  const limit = one('limit') ?? String(PAGE_ITEMS_DEFAULT);
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > PAGE_ITEMS_MAX) {
    throw invalidRequest(`limit must be a whole number from 1 to ${PAGE_ITEMS_MAX}.`);
  }
  return { limit: Number(limit), cursor: one('cursor') };
}
