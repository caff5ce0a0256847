/** What a row of the admin API is: data that routing, permission, validation and the OpenAPI description are all made from. */

import type { Static, TObject, TProperties, TSchema } from 'typebox';
import type { Secret } from '../credentials/secret-value.ts';
import type { Handover } from '../operations/claim-material.ts';
import type { Done, OperationContext } from '../operations/context.ts';
import type { Check } from '../operations/doctor.ts';
import { documentOf } from '../operations/document.ts';
import type { Permission } from './permissions.ts';
import { strict } from './schemas.ts';

export type AdminMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * What the path names, so that a caller who is bound to a program is held to it: such a target of another program is not there for
 * it. 'own': the row itself shows no more than is the caller's.
 */
export type About = 'program' | 'client' | 'secret' | 'own';

/** What a row is given to run. */
export type Call<Path = unknown, Query = unknown, Body = unknown> = {
  readonly context: OperationContext;
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  /** The only program that the caller may see. */
  readonly program: string | undefined;
  /** Of a list: what comes after, and how many to fetch: one more than are shown tells whether there is a next page. */
  readonly page: { readonly after: number | undefined; readonly limit: number };
  /** Looks at this node's machine. */
  readonly diagnose: () => Promise<readonly Check[]>;
};

export type Result =
  | { readonly is: 'document'; readonly document: object }
  | { readonly is: 'page'; readonly items: readonly object[]; readonly next: number | undefined }
  | {
      readonly is: 'change';
      readonly done: Done;
      readonly members: object;
      /** What is printed once, by the name it is answered by. */
      readonly secrets?: Readonly<Record<string, Secret | undefined>> | undefined;
      /** It was not done: an approval was asked for instead. */
      readonly isAsked?: boolean;
    }
  | { readonly is: 'receipt'; readonly receipt: Done['receipt'] };

export type AdminRoute = {
  readonly method: AdminMethod;
  /** Below `/admin/v1`; `{name}` is a parameter. */
  readonly path: string;
  /** Names the row: `program.suspend`. */
  readonly operation: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly about?: About | undefined;
  readonly params: TObject;
  readonly query: TObject;
  readonly body: TObject | undefined;
  readonly response: TSchema;
  /** It makes something new: 201, and an Idempotency-Key makes it once. */
  readonly creates: boolean;
  /** It answers a page of a list: takes `limit` and `cursor`. */
  readonly pages: boolean;
  readonly run: (call: Call) => Promise<Result>;
};

type Parts<P extends TProperties, Q extends TProperties, B extends TProperties> = Pick<
  AdminRoute,
  'method' | 'path' | 'operation' | 'permission' | 'summary' | 'about' | 'response'
> & {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: TObject<B>;
  readonly creates?: true;
  readonly pages?: true;
  readonly run: (
    call: Call<Static<TObject<P>>, Static<TObject<Q>>, Static<TObject<B>>>,
  ) => Promise<Result>;
};

/** A row with its types: `run` sees what the schemas promise. */
export function row<
  P extends TProperties = TProperties,
  Q extends TProperties = TProperties,
  B extends TProperties = TProperties,
>(parts: Parts<P, Q, B>): AdminRoute {
  const { params, query, body, creates = false, pages = false, run, ...rest } = parts;
  return {
    ...rest,
    params: strict(params ?? {}),
    query: strict(query ?? {}),
    body,
    creates,
    pages,
    // Validated by those very schemas before it is called.
    run: run as (call: Call) => Promise<Result>,
  };
}

export function shown(document: unknown): Result {
  return { is: 'document', document: documentOf(document) as object };
}

/** A page of records that were fetched in the order of their ordinals, with one more than is shown. */
export function pageOf<Item extends { readonly ordinal: number }>(
  call: Pick<Call, 'page'>,
  records: readonly Item[],
  documentOfItem: (record: Item) => object = (record) => documentOf(record) as object,
): Result {
  const shownCount = call.page.limit - 1;
  const items = records.slice(0, shownCount);
  const next = records.length > shownCount ? items.at(-1)?.ordinal : undefined;
  return { is: 'page', items: items.map(documentOfItem), next };
}

/** A list that is short by nature, whole. */
export function wholeList(records: readonly unknown[]): Result {
  return { is: 'page', items: documentOf(records) as readonly object[], next: undefined };
}

export function changed(done: Done, members: object): Extract<Result, { is: 'change' }> {
  return { is: 'change', done: pick(done), members };
}

/** What hands out a secret, this once. */
export function madeSecret(
  done: Done & { readonly clientSecret: Secret },
  members: object,
): Result {
  const secrets = { client_secret: done.clientSecret };
  return { is: 'change', done: pick(done), members, secrets };
}

/** What hands out a claim, this once. */
export function madeClaim(done: Done & Handover, members: object): Result {
  const { claimId, claimExpiresAtMs, claimUrl, claimPassphrase } = done;
  return {
    is: 'change',
    done: pick(done),
    members: { ...members, claimId, claimExpiresAtMs },
    secrets: { claim_url: claimUrl, claim_passphrase: claimPassphrase },
  };
}

function pick({ receipt, changed: isChanged }: Done): Done {
  return { receipt, changed: isChanged };
}
