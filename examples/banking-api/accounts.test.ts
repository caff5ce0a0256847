import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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

let made = 0;
/** A payment under a key of its own, unless one is said. */
const pay = (account: string, json: unknown, key = `key-${made++}`): Promise<Reply> =>
  bank.api.call(`/v1/accounts/${account}/transactions`, { token, json, key });

const problem = ({ status, headers, body }: Reply): readonly unknown[] => {
  assert.equal(headers.get('Content-Type'), 'application/problem+json');
  assert.equal(body['request_id'], headers.get('X-Request-Id'));
  return [status, String(body['type']).replace('urn:example:bank:', '')];
};

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

  it('has its own profiles: an address that another program uses is free', async () => {
    const profile = { name: 'Cleo', email: 'Cleo@example.com' };
    for (const token of tokens) {
      const made = await bank.api.call('/v1/profiles', { token, json: profile });
      assert.equal(made.status, 201);
      assert.equal(made.body['email'], 'cleo@example.com');
      const again = await bank.api.call('/v1/profiles', { token, json: profile });
      assert.deepEqual(problem(again), [409, 'profile-exists']);
      const all = await walk(token, '/v1/profiles', 2);
      assert.equal(all.filter((it) => it['email'] === 'cleo@example.com').length, 1);
      assert.equal(all.length, 3);
    }
  });
});

describe('a payment', () => {
  it('takes an account to zero and never below', async () => {
    const [, savings] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const spend = (amount: number): Promise<Reply> =>
      pay(savings!, { amount_cents: amount, description: 'Spend' });
    assert.deepEqual(problem(await spend(-501_043)), [422, 'insufficient-funds']);
    assert.equal((await spend(-501_042)).status, 201);
    assert.equal(await balanceOf(token, savings!), 0);
    assert.equal((await spend(-1)).status, 422);
  });

  it('is refused when its body is not exactly what it should be, and moves nothing', async () => {
    const [, , account] = (await accountsOf(token)).map((it) => String(it['account_id']));
    const good = { amount_cents: 100, description: 'Gift' };
    const bad: readonly (readonly [member: string | undefined, json: unknown])[] = [
      ['amount_cents', { ...good, amount_cents: 1.5 }],
      ['amount_cents', { ...good, amount_cents: '100' }],
      ['amount_cents', { ...good, amount_cents: 0 }],
      ['amount_cents', { ...good, amount_cents: 1e300 }],
      ['amount_cents', { ...good, amount_cents: null }],
      ['amount_cents', { description: 'Gift' }],
      ['description', { ...good, description: '' }],
      ['description', { ...good, description: 'a\u0000b' }],
      ['description', { ...good, description: 'x'.repeat(201) }],
      ['description', { ...good, description: { '': 1 } }],
      [undefined, { ...good, currency: 'EUR' }],
      [undefined, [good]],
      [undefined, 'text'],
      [undefined, null],
    ];
    for (const [member, json] of bad) {
      const reply = await pay(account!, json);
      assert.deepEqual(problem(reply), [400, 'invalid-request'], JSON.stringify(json));
      const [place] = (reply.body['errors'] ?? []) as readonly Row[];
      assert.equal(place?.['pointer'], member && `/${member}`);
      assert.ok(String(reply.body['detail']).startsWith(member ?? 'The body'));
    }
    const send = async (body: string, type = 'application/json'): Promise<number> => {
      const headers = {
        Authorization: `Bearer ${token}`,
        'Content-Type': type,
        'Idempotency-Key': 'gift',
      };
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
    const tick = (description: string): Promise<Reply> =>
      pay(account!, { amount_cents: 1, description });
    for (let n = 0; n < 13; n++) await tick(`t-${n}`);
    const all = await walk(token, path, 100);
    assert.equal(all.length, 17);
    assert.equal(all[0]!['description'], 't-12');
    for (const limit of [1, 4, 16, 17]) assert.deepEqual(await walk(token, path, limit), all);

    const first = await bank.api.call(`${path}?limit=5`, { token });
    await tick('late');
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
      const reply = await bank.api.call(`${list(mine![0]!)}?${query}`, { token: tokens[0] });
      assert.deepEqual(problem(reply), [400, 'invalid-request'], query);
      const [place] = reply.body['errors'] as readonly Row[];
      assert.equal(place?.['parameter'], query.split('=')[0]);
    }
  });
});
