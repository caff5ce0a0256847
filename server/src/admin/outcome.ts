/** Turns what a row returns into an answer: documents, pages, changes with their receipts. */

import type { Answer } from '../endpoints/exchange.ts';
import { documentOf } from '../operations/document.ts';
import type { Once } from '../ports/store.ts';
import { etagOf } from './conditions.ts';
import type { AdminRoute, Result } from './route.ts';

export type Outcome = {
  readonly route: AdminRoute;
  /** Path of the API as callers reach it. */
  readonly base: string;
  /** Number of the last change about what is shown. */
  readonly change: number | undefined;
  readonly replayed: Once['made'] | undefined;
  readonly cursorAt: (place: number) => string;
};

export function answerTo(result: Result, outcome: Outcome): Answer {
  switch (result.is) {
    case 'document':
      return {
        status: 200,
        headers: outcome.change === undefined ? {} : { ETag: etagOf(outcome.change) },
        body: JSON.stringify(result.document),
      };
    case 'page': {
      const { items, next } = result;
      const more = next === undefined ? {} : { next_cursor: outcome.cursorAt(next) };
      return { status: 200, body: JSON.stringify({ items, ...more }) };
    }
    case 'receipt':
      return receiptAnswer(documentOf(result.receipt) as object, result.receipt, outcome);
    case 'change':
      return changeAnswer(result, outcome);
  }
}

function changeAnswer(result: Extract<Result, { is: 'change' }>, outcome: Outcome): Answer {
  const { done, members, secrets = {}, isAsked = false } = result;
  const { route, replayed } = outcome;
  const about = documentOf(members) as Record<string, unknown>;
  const document = {
    ...about,
    // What this request made up has not been stored: the earlier one's names are the ones that hold.
    ...(replayed === undefined ? {} : { ...shared(replayed, about), replayed: true }),
    changed: done.changed,
    ...(documentOf(done.receipt) as object),
    ...(replayed === undefined ? revealed(secrets) : {}),
  };
  const answer = receiptAnswer(document, done.receipt, outcome);
  const isNew = route.creates && done.changed;
  return {
    ...answer,
    ...(isNew && answer.status === 200 ? { status: 201 } : {}),
    ...(isAsked ? { status: 202 } : {}),
    headers: {
      ...answer.headers,
      ...(done.changed && !isAsked && isAboutTarget(route)
        ? { ETag: etagOf(done.receipt.sequence) }
        : {}),
    },
  };
}

function revealed(
  secrets: NonNullable<Extract<Result, { is: 'change' }>['secrets']>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([name, secret]) =>
      secret === undefined ? [] : [[name, secret.reveal()]],
    ),
  );
}

const isAboutTarget = ({ about }: AdminRoute): boolean => about !== undefined && about !== 'own';

function shared(
  replayed: Readonly<Record<string, unknown>>,
  document: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(replayed).filter(([name]) => name in document));
}

/** A change whose receipt is not complete is accepted, not done: it says where to ask again. */
function receiptAnswer(
  document: object,
  receipt: { readonly sequence: number; readonly complete: boolean },
  { base }: Outcome,
): Answer {
  const body = JSON.stringify(document);
  if (receipt.complete) return { status: 200, body };
  const headers = { Location: `${base}/receipts/${receipt.sequence}`, 'Retry-After': '1' };
  return { status: 202, headers, body };
}
