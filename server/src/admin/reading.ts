/** Reads path, query and body of a request against a row's schemas. Nothing is coerced but what a query spells, nothing dropped. */

import type { TObject } from 'typebox';
import { Compile } from 'typebox/schema';
import type { Incoming } from '../endpoints/exchange.ts';
import { type FieldError, invalidRequest, NOT_FOUND, ProblemFound } from './problem.ts';
import { hasRepeatedMember } from './repeated-member.ts';
import type { AdminRoute } from './route.ts';
import { pageQuery, strict } from './schemas.ts';

export type Input = {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
};

/** Problems of one request that are listed; more would say no more. */
const ERRORS_MAX = 8;

/** Builds the reader of one row. It throws `ProblemFound`. */
export function readerOf(route: AdminRoute): (incoming: Incoming) => Input {
  const path = Compile(route.params);
  const querySchema = queryOf(route);
  const query = Compile(querySchema);
  const body = route.body === undefined ? undefined : Compile(route.body);
  return (incoming) => {
    const { params = {} } = incoming;
    // What has not the form of an id is the id of nothing.
    if (!path.Check(params)) throw new ProblemFound(NOT_FOUND);
    const asked = queryIn(incoming.query, querySchema);
    if (!query.Check(asked)) throw wrong(query.Errors(asked)[1], 'query');
    const sent = bodyIn(incoming, body !== undefined);
    if (body !== undefined && !body.Check(sent)) throw wrong(body.Errors(sent)[1], 'body');
    return { path: params, query: asked, body: sent };
  };
}

/** What may stand in the query of a row. */
export function queryOf({ query, pages }: AdminRoute): TObject {
  return pages ? strict({ ...query.properties, ...pageQuery }) : query;
}

function queryIn(text: string, schema: TObject): Record<string, unknown> {
  // Without a prototype: `__proto__` is a name like any other, and as unknown.
  const asked = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(asked, name)) {
      throw new ProblemFound(
        invalidRequest('A query parameter is given twice.', [
          { parameter: shortName(name), detail: 'must be given once' },
        ]),
      );
    }
    asked[name] = spelled(value, (schema.properties[name] as { type?: string } | undefined)?.type);
  }
  return asked;
}

/** A query knows texts alone. */
function spelled(value: string, type: string | undefined): unknown {
  if (type === 'integer' && /^\d{1,15}$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function bodyIn({ body, contentType }: Incoming, isWanted: boolean): unknown {
  if (!isWanted) {
    if (body.length === 0 || isEmptyObject(body)) return undefined;
    throw new ProblemFound(invalidRequest('This request takes no body.'));
  }
  if (body.length === 0 && contentType === undefined) return {};
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType ?? '')) {
    throw new ProblemFound({
      ...invalidRequest('Send the body as JSON: Content-Type: application/json.'),
      status: 415,
    });
  }
  return parsed(body);
}

const isEmptyObject = (body: Uint8Array): boolean =>
  Buffer.from(body).toString('latin1').trim() === '{}';

function parsed(body: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    throw new ProblemFound(invalidRequest('The body is not JSON.'));
  }
  if (!hasRepeatedMember(text)) return value;
  throw new ProblemFound(invalidRequest('The body has two members of one name.'));
}

type Found = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
};

function wrong(found: readonly Found[], where: 'query' | 'body'): ProblemFound {
  const errors = choicesTogether(found)
    .flatMap((error) => fieldErrors(error))
    .slice(0, ERRORS_MAX)
    .map(
      ({ pointer, detail }): FieldError =>
        where === 'body' ? { pointer, detail } : { parameter: pointer.slice(1), detail },
    );
  const [first] = errors;
  const field = first?.pointer ?? first?.parameter ?? '';
  const detail =
    first === undefined
      ? `The ${where} is not as it must be.`
      : `${field === '' ? `The ${where}` : field}: ${first.detail}.`;
  return new ProblemFound(invalidRequest(detail, errors));
}

/** A field with a choice of values is wrong once, and not once for each of them. */
function choicesTogether(found: readonly Found[]): readonly Found[] {
  const choices = new Map<string, string[]>();
  const together: Found[] = [];
  for (const error of found) {
    const { keyword, instancePath, params } = error;
    const value = (params as { allowedValue?: unknown }).allowedValue;
    if (keyword === 'anyOf') continue;
    if (keyword !== 'const') together.push(error);
    else choices.set(instancePath, [...(choices.get(instancePath) ?? []), String(value)]);
  }
  for (const [instancePath, values] of choices) {
    const message = `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`;
    together.push({ keyword: 'const', instancePath, message, params: {} });
  }
  return together;
}

/** What is missing or unknown is named by itself; the checker would name the object around it. */
function fieldErrors({ keyword, instancePath, message, params }: Found) {
  if (keyword === 'required') {
    return namesIn(params, 'requiredProperties').map((name) => ({
      pointer: `${instancePath}/${name}`,
      detail: 'is missing',
    }));
  }
  if (keyword === 'additionalProperties') {
    return namesIn(params, 'additionalProperties').map((name) => ({
      pointer: `${instancePath}/${shortName(name)}`,
      detail: 'is not known here',
    }));
  }
  return keyword === 'boolean' ? [] : [{ pointer: instancePath, detail: message }];
}

function namesIn(params: object, member: string): readonly string[] {
  const names = (params as Record<string, unknown>)[member];
  return Array.isArray(names) ? names.map(String) : [];
}

/** A name that a caller made up is repeated as far as one could be a slip of ours. */
function shortName(name: string): string {
  return /^[A-Za-z0-9_.-]{1,40}$/.test(name) ? name : '…';
}
