/**
 * Programs that do whatever they like at the same time, each held against a model of what it alone wrote. Throws where a program sees
 * or moves anything of another, or does not see what is its own.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BankingApi, Reply } from './bank.ts';

export type Program = { readonly programId: string; readonly token: string };

type Row = Readonly<Record<string, string | number>>;
type Model = {
  readonly token: string;
  /** What each list holds, in its order, by its path. */
  readonly lists: Map<string, Row[]>;
  /** Each cursor that was given out: by which list, after which row. */
  readonly cursors: { readonly path: string; readonly after: Row; readonly cursor: string }[];
  readonly keys: Map<string, { readonly request: string; readonly reply: Reply }>;
  readonly ids: Set<string>;
};

const PROFILES = '/v1/profiles';
const ACCOUNTS = '/v1/accounts';
const SAMPLE_ROWS = [2, 3, 4, 2, 3];

const any = fc.nat(1_000);
const step = fc.record({
  who: any,
  /** Whose ids and cursors are used: its own, or another's. */
  whose: any,
  verb: fc.constantFrom('list', 'list', 'account', 'add', 'pay', 'pay'),
  list: any,
  account: any,
  cursor: fc.option(any, { nil: undefined }),
  limit: fc.integer({ min: 1, max: 3 }),
  // Everybody uses the same few: one must not be told that another has.
  key: fc.nat(30).map((n) => `pay-${n}`),
  email: fc.nat(30).map((n) => `person-${n}@example.com`),
  amount: fc.integer({ min: -200_000, max: 200_000 }).filter((cents) => cents !== 0),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Runs them; `numRuns` histories, one after the other, on what the earlier ones left. */
export async function requireIsolated(
  api: BankingApi,
  programs: readonly Program[],
  numRuns: number,
): Promise<void> {
  const models = await Promise.all(programs.map((program) => learn(api, program)));
  const world = { api, models };
  for (const model of models) requireOwnOnly(world, model, [...model.ids].join(' '));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 30 }), async (steps) => {
      await Promise.all(
        models.map(async (model, index) => {
          for (const one of steps) {
            if (one.who % models.length === index) await take(world, model, one);
          }
        }),
      );
      for (const model of models) {
        for (const [path, rows] of model.lists) {
          assert.deepEqual(await walk(api, model, path), rows, path);
        }
      }
    }),
    // What a failed history left behind is in the model of no other: there is nothing to shrink.
    { numRuns, endOnFailure: true },
  );
}

type World = { readonly api: BankingApi; readonly models: readonly Model[] };

async function learn(api: BankingApi, { programId, token }: Program): Promise<Model> {
  const model: Model = {
    ...{ token, lists: new Map(), cursors: [], keys: new Map() },
    ids: new Set([programId]),
  };
  const read = async (path: string): Promise<readonly Row[]> => {
    const rows = await walk(api, model, path);
    model.lists.set(path, [...rows]);
    return rows;
  };
  await read(PROFILES);
  for (const { account_id: id } of await read(ACCOUNTS)) {
    await read(`${ACCOUNTS}/${id}/transactions`);
  }
  const counts = [...model.lists.values()].map(({ length }) => length);
  assert.deepEqual(counts, SAMPLE_ROWS, 'a program begins with its sample data and nothing else');
  return model;
}

async function take(world: World, model: Model, chosen: Step): Promise<void> {
  const { whose, verb, account, email, amount, key } = chosen;
  const other = pick(world.models, whose);
  const target = pick(other.lists.get(ACCOUNTS)!, account)['account_id'];
  const call = async (path: string, request: object = {}): Promise<Reply> => {
    const reply = await world.api.call(path, { token: model.token, ...request });
    requireOwnOnly(world, model, JSON.stringify([...reply.headers, reply.body]));
    return reply;
  };
  if (verb === 'list') return takePage(call, { model, other, chosen });
  if (verb === 'add') {
    const rows = model.lists.get(PROFILES)!;
    const reply = await call(PROFILES, { json: { name: 'x', email } });
    const isTaken = rows.some((row) => row['email'] === email);
    assert.equal(reply.status, isTaken ? 409 : 201, 'an address of its own is taken, no other');
    if (!isTaken) record(model, PROFILES, [...rows, reply.body as Row]);
    return;
  }
  if (verb === 'account') {
    const reply = await call(`${ACCOUNTS}/${target}`);
    if (other !== model) return requireNothing(call, reply);
    assert.deepEqual(reply.body, accountOf(model, target));
    return;
  }
  const json = { amount_cents: amount, description: 'x' };
  const reply = await call(`${ACCOUNTS}/${target}/transactions`, { json, key });
  const request = `${target} ${amount}`;
  const first = model.keys.get(key);
  if (first !== undefined) {
    const [status, body] =
      first.request === request ? [first.reply.status, first.reply.body] : [422, undefined];
    assert.equal(reply.status, status, 'a key of its own is used, no other');
    if (status === 201) assert.deepEqual(reply.body, body);
    return;
  }
  if (other !== model) return requireNothing(call, reply);
  model.keys.set(key, { request, reply });
  const before = accountOf(model, target);
  const balance = Number(before['balance_cents']) + amount;
  assert.equal(reply.status, balance < 0 ? 422 : 201, JSON.stringify(reply.body));
  if (balance < 0) return;
  const path = `${ACCOUNTS}/${target}/transactions`;
  record(model, path, [reply.body as Row, ...model.lists.get(path)!]);
  const accounts = model.lists.get(ACCOUNTS)!;
  const moved = (row: Row): Row => (row === before ? { ...row, balance_cents: balance } : row);
  record(model, ACCOUNTS, accounts.map(moved));
}

type Calls = (path: string) => Promise<Reply>;

/** A page of any list of anybody, from any cursor of anybody. */
async function takePage(
  call: Calls,
  { model, other, chosen }: { model: Model; other: Model; chosen: Step },
): Promise<void> {
  const path = pick([...other.lists.keys()], chosen.list);
  const from = chosen.cursor === undefined ? undefined : pick(other.cursors, chosen.cursor);
  const cursor = from === undefined ? '' : `&cursor=${from.cursor}`;
  const reply = await call(`${path}?limit=${chosen.limit}${cursor}`);
  const rows = model.lists.get(path);
  if (rows === undefined) return requireNothing(call, reply);
  const start =
    from === undefined ? 0 : rows.findIndex((row) => idOf(row) === idOf(from.after)) + 1;
  if (from !== undefined && (from.path !== path || start === 0)) {
    assert.equal(
      reply.status,
      400,
      'a cursor is good for the list that gave it out, for its program',
    );
    return;
  }
  assert.deepEqual(reply.body['data'], rows.slice(start, start + chosen.limit));
  assert.equal('next_cursor' in reply.body, start + chosen.limit < rows.length);
}

/** What belongs to another looks like what never was. */
async function requireNothing(call: Calls, reply: Reply): Promise<void> {
  const never = await call(`${ACCOUNTS}/account_000000000000000000000000`);
  const told = ({ status, body }: Reply) => ({ status, ...body, request_id: '' });
  assert.equal(reply.status, 404);
  assert.deepEqual(told(reply), told(never));
}

function requireOwnOnly({ models }: World, own: Model, text: string): void {
  for (const { ids } of models.filter((model) => model !== own)) {
    for (const id of ids) assert.ok(!text.includes(id), `${id} is another program's: ${text}`);
  }
}

function record(model: Model, path: string, rows: Row[]): void {
  model.lists.set(path, rows);
  for (const row of rows) model.ids.add(idOf(row));
}

/** Every row of a list; its cursors are kept for anybody to try. */
async function walk(api: BankingApi, model: Model, path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor = '';
  for (;;) {
    const { token } = model;
    const { status, body } = await api.call(`${path}?limit=${cursor ? 100 : 1}${cursor}`, {
      token,
    });
    assert.equal(status, 200, path);
    rows.push(...(body['data'] as readonly Row[]));
    for (const row of rows) model.ids.add(idOf(row));
    if (body['next_cursor'] === undefined) return rows;
    const next = String(body['next_cursor']);
    model.cursors.push({ path, after: rows.at(-1)!, cursor: next });
    cursor = `&cursor=${next}`;
  }
}

const idOf = (row: Row): string =>
  String(row['transaction_id'] ?? row['account_id'] ?? row['profile_id']);

const accountOf = ({ lists }: Model, id: unknown): Row =>
  lists.get(ACCOUNTS)!.find((row) => row['account_id'] === id)!;

function pick<T>(some: readonly T[], n: number): T {
  return some[n % some.length]!;
}
