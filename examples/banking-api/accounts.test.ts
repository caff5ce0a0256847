import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { newClient, onboard, tokenOf } from './test-kit/authority.ts';
import { type Bank, openBank, type Reply } from './test-kit/bank.ts';

type Row = Readonly<Record<string, string | number>>;

let bank: Bank;
/** Two programs to be kept apart, and one for tests that count on its balances. */
let tokens: readonly [string, string];
let token: string;

before(async () => {
  bank = await openBank();
  const names = ['Program A', 'Program B', 'Program C'] as const;
  const made = await Promise.all(names.map(newToken));
  [tokens, token] = [[made[0]!, made[1]!], made[2]!];
});

after(() => bank?.stop());

const newToken = async (name: string): Promise<string> => {
  const programId = await onboard(bank.authority, name);
  return tokenOf(bank.issuer, await newClient(bank.authority, { programId }));
};

const rows = ({ body }: Reply): readonly Row[] => body['data'] as readonly Row[];

const accountsOf = async (token: string): Promise<readonly Row[]> =>
  rows(await bank.api.call('/v1/accounts', { token }));

const balanceOf = async (token: string, account: string): Promise<unknown> =>
  (await bank.api.call(`/v1/accounts/${account}`, { token })).body['balance_cents'];

const post = (token: string, account: string, json: unknown): Promise<Reply> =>
  bank.api.call(`/v1/accounts/${account}/transactions`, { token, json });

/** Every row of a list, walked by its cursors. */
const walk = async (token: string, path: string, limit: number): Promise<readonly Row[]> => {
  const found: Row[] = [];
  let cursor = '';
  for (let page = 0; page < 100; page++) {
    const reply = await bank.api.call(`${path}?limit=${limit}${cursor}`, { token });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    assert.ok(rows(reply).length <= limit);
    found.push(...rows(reply));
    if (!Object.hasOwn(reply.body, 'next_cursor')) return found;
    cursor = `&cursor=${reply.body['next_cursor']}`;
  }
  throw new Error('the walk does not end');
};

describe('a program', () => {
  it('finds sample accounts at its first call, the same ones at every later call', async () => {
    const first = await accountsOf(token);
    assert.deepEqual(
      first.map((account) => [account['name'], account['balance_cents']]),
      [
        ['Everyday', 150_290],
        ['Savings', 501_042],
        ['Business', 921_100],
      ],
    );
    assert.deepEqual(await accountsOf(token), first);
    for (const { account_id: id, balance_cents: balance } of first) {
      const transactions = await walk(token, `/v1/accounts/${id}/transactions`, 100);
      const sum = transactions.reduce((total, it) => total + Number(it['amount_cents']), 0);
      assert.equal(sum, balance);
    }
  });

  it('never sees or moves anything of another program, whatever both do', async () => {
    const model = await Promise.all(
      tokens.map(async (token) => {
        const accounts = await accountsOf(token);
        const balances = accounts.map((it) => [
          String(it['account_id']),
          Number(it['balance_cents']),
        ]);
        return {
          token,
          balances: new Map(balances as [string, number][]),
          posted: new Set<string>(),
        };
      }),
    );
    const [a, b] = model as [(typeof model)[0], (typeof model)[0]];
    assert.equal(new Set([...a.balances.keys(), ...b.balances.keys()]).size, 6);

    const step = fc.record({
      who: fc.constantFrom(0, 1),
      whose: fc.constantFrom(0, 1),
      account: fc.nat(2),
      // Both programs use the same few ids: one must not be told that the other has.
      id: fc.constantFrom('pay-1', 'pay-2', 'pay-3', 'pay-4', 'pay-5', 'pay-6'),
      amount: fc.integer({ min: -400_000, max: 400_000 }).filter((cents) => cents !== 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        for (const { who, whose, account, id, amount } of steps) {
          const [actor, owner] = [model[who]!, model[whose]!];
          const target = [...owner.balances.keys()][account]!;
          const payment = { amount_cents: amount, description: 'x', idempotency_id: id };
          const seen = await bank.api.call(`/v1/accounts/${target}`, { token: actor.token });
          const list = await bank.api.call(`/v1/accounts/${target}/transactions`, {
            token: actor.token,
          });
          const { status, body } = await post(actor.token, target, payment);
          if (actor !== owner) {
            assert.deepEqual([seen.status, list.status, status], [404, 404, 404]);
            assert.deepEqual(body, seen.body, 'an id of another program looks like no id at all');
            continue;
          }
          const balance = owner.balances.get(target)!;
          assert.equal(seen.body['balance_cents'], balance);
          if (owner.posted.has(id)) assert.ok(status === 200 || status === 409);
          else if (balance + amount < 0) assert.equal(status, 422);
          else {
            assert.equal(status, 201, JSON.stringify(body));
            owner.posted.add(id);
            owner.balances.set(target, balance + amount);
          }
        }
      }),
      { numRuns: 30 },
    );
    for (const { token, balances, posted } of model) {
      const accounts = await accountsOf(token);
      assert.deepEqual(
        accounts.map((it) => [it['account_id'], it['balance_cents']]),
        [...balances],
      );
      assert.ok(posted.size > 0, 'the runs moved money');
    }
  });

  it('has its own profiles: an address that another program uses is free', async () => {
    const profile = { name: 'Cleo', email: 'Cleo@example.com' };
    for (const token of tokens) {
      const made = await bank.api.call('/v1/profiles', { token, json: profile });
      assert.equal(made.status, 201);
      assert.equal(made.body['email'], 'cleo@example.com');
      const again = await bank.api.call('/v1/profiles', { token, json: profile });
      assert.deepEqual([again.status, again.body['error']], [409, 'conflict']);
      const all = await walk(token, '/v1/profiles', 2);
      assert.equal(all.filter((it) => it['email'] === 'cleo@example.com').length, 1);
      assert.equal(all.length, 3);
    }
  });
});

describe('a transaction', () => {
  it('is made once however often it is sent, and its id serves no other', async () => {
    const [everyday, savings] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const payment = { amount_cents: -290, description: 'Coffee', idempotency_id: 'coffee-1' };
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => post(token, everyday!, payment)),
    );
    const statuses = replies.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    for (const { body } of replies) assert.deepEqual(body, replies[0]!.body);
    assert.equal(await balanceOf(token, everyday!), 150_000);

    for (const other of [{ amount_cents: -291 }, { description: 'Tea' }]) {
      const { status, body } = await post(token, everyday!, { ...payment, ...other });
      assert.deepEqual([status, body['error']], [409, 'conflict']);
    }
    assert.equal((await post(token, savings!, payment)).status, 409, 'the account is content too');
    assert.equal(await balanceOf(token, everyday!), 150_000);
    assert.equal(await balanceOf(token, savings!), 501_042);
  });

  it('takes an account to zero and never below', async () => {
    const [, savings] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const spend = (amount: number, id: string): Promise<Reply> =>
      post(token, savings!, { amount_cents: amount, description: 'Spend', idempotency_id: id });
    const tooMuch = await spend(-501_043, 's-1');
    assert.deepEqual([tooMuch.status, tooMuch.body['error']], [422, 'insufficient_funds']);
    assert.equal((await spend(-501_042, 's-1')).status, 201, 'a refusal uses no id up');
    assert.equal(await balanceOf(token, savings!), 0);
    assert.equal((await spend(-1, 's-2')).status, 422);
  });

  it('is refused when its body is not exactly what it should be, and moves nothing', async () => {
    const [, , account] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const good = { amount_cents: 100, description: 'Gift', idempotency_id: 'g-1' };
    const bad: readonly unknown[] = [
      { ...good, amount_cents: 1.5 },
      { ...good, amount_cents: '100' },
      { ...good, amount_cents: 0 },
      { ...good, amount_cents: 1e300 },
      { ...good, amount_cents: null },
      { ...good, description: '' },
      { ...good, description: 'a\u0000b' },
      { ...good, description: 'x'.repeat(201) },
      { ...good, idempotency_id: '' },
      { ...good, idempotency_id: { '': 1 } },
      { ...good, currency: 'EUR' },
      { amount_cents: 100, description: 'Gift' },
      [good],
      'text',
      null,
    ];
    for (const json of bad) {
      const { status, body } = await post(token, account!, json);
      assert.deepEqual([status, body['error']], [400, 'invalid_request'], JSON.stringify(json));
    }
    const send = async (body: string, type = 'application/json'): Promise<number> => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type };
      const url = `${bank.api.url}/v1/accounts/${account}/transactions`;
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    assert.equal(await send('{'), 400);
    assert.equal(await send(JSON.stringify(good), 'text/plain'), 415);
    assert.equal(await send(JSON.stringify({ ...good, description: 'x'.repeat(20_000) })), 413);
    assert.equal(await balanceOf(token, account!), 921_100);
    assert.equal(await send(JSON.stringify(good), 'application/json; charset=utf-8'), 201);
  });
});

describe('a list', () => {
  it('is walked exactly once by its cursors, newest first, whatever is written meanwhile', async () => {
    const [, , account] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const path = `/v1/accounts/${account}/transactions`;
    const pay = (id: string): Promise<Reply> =>
      post(token, account!, { amount_cents: 1, description: 'Tick', idempotency_id: id });
    for (let n = 0; n < 13; n++) await pay(`t-${n}`);
    const all = await walk(token, path, 100);
    assert.equal(all.length, 17);
    assert.equal(all[0]!['idempotency_id'], 't-12');
    for (const limit of [1, 4, 16, 17]) assert.deepEqual(await walk(token, path, limit), all);

    const first = await bank.api.call(`${path}?limit=5`, { token });
    await pay('late');
    const second = await bank.api.call(`${path}?limit=5&cursor=${first.body['next_cursor']}`, {
      token,
    });
    assert.deepEqual(rows(second), all.slice(5, 10));
  });

  it('refuses a limit out of range, a repeated one, and cursors that it never gave out', async () => {
    const [mine, others] = await Promise.all(tokens.map(accountsOf));
    const list = (account: Row): string => `/v1/accounts/${account['account_id']}/transactions`;
    const foreign = await bank.api.call(`${list(others![0]!)}?limit=1`, { token: tokens[1] });
    const sibling = await bank.api.call(`${list(mine![1]!)}?limit=1`, { token: tokens[0] });
    const bad = [
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=1e1',
      'limit=',
      'limit=5&limit=5',
      'cursor=',
      'cursor=nonsense',
      `cursor=${foreign.body['next_cursor']}`,
      `cursor=${sibling.body['next_cursor']}`,
    ];
    for (const query of bad) {
      const { status, body } = await bank.api.call(`${list(mine![0]!)}?${query}`, {
        token: tokens[0],
      });
      assert.deepEqual([status, body['error']], [400, 'invalid_request'], query);
    }
  });
});
