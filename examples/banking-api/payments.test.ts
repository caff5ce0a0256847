/** Payments are made once: however often, however fast and however different they are sent, also across a kill -9. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newClient, onboard, tokenOf } from './test-kit/authority.ts';
import {
  type Bank,
  type BankingApi,
  openBank,
  type Reply,
  startBankingApi,
} from './test-kit/bank.ts';

let bank: Bank;
let token: string;
let otherToken: string;
let accounts: readonly string[];

before(async () => {
  bank = await openBank();
  const newToken = async (name: string): Promise<string> => {
    const programId = await onboard(bank.authority, name);
    return tokenOf(bank.issuer, await newClient(bank.authority, { programId }));
  };
  [token, otherToken] = [await newToken('Program A'), await newToken('Program B')];
  accounts = await accountsOf(token);
});
after(() => bank?.stop());

const accountsOf = async (token: string, api = bank.api): Promise<readonly string[]> => {
  const { body } = await api.call('/v1/accounts', { token });
  return (body['data'] as readonly { account_id: string }[]).map(({ account_id: id }) => id);
};

const balanceOf = async (account: string, api = bank.api): Promise<number> =>
  Number((await api.call(`/v1/accounts/${account}`, { token })).body['balance_cents']);

const COFFEE = { amount_cents: -290, description: 'Coffee' };

type Paying = Parameters<BankingApi['call']>[1] & { readonly account?: string };
const pay = ({ account = accounts[0]!, ...request }: Paying, api = bank.api): Promise<Reply> =>
  api.call(`/v1/accounts/${account}/transactions`, { token, json: COFFEE, ...request });

const told = ({ status, body }: Reply): readonly unknown[] => [
  status,
  String(body['type']).replace('urn:example:bank:', ''),
];
const isReplay = ({ headers }: Reply): boolean => headers.get('Idempotent-Replayed') === 'true';

test('sent many times at once it is made once, and each answer is the first, or tells to wait', async () => {
  const before = await balanceOf(accounts[0]!);
  const replies = await Promise.all(Array.from({ length: 8 }, () => pay({ key: 'coffee' })));
  const again = await pay({ key: 'coffee' });
  assert.equal(replies.filter((reply) => reply.status === 201 && !isReplay(reply)).length, 1);
  for (const reply of replies.filter((reply) => reply.status !== 201)) {
    assert.deepEqual(told(reply), [409, 'key-under-way']);
    assert.equal(reply.headers.get('Retry-After'), '1');
  }
  for (const { status, body } of [...replies, again]) {
    if (status === 201) assert.deepEqual(body, again.body);
  }
  assert.ok(again.status === 201 && isReplay(again));
  assert.equal(await balanceOf(accounts[0]!), before - 290);
});

test('its key names no other payment, and another program may use the same', async () => {
  const before = await balanceOf(accounts[1]!);
  assert.equal((await pay({ key: 'tea' })).status, 201);
  const others: readonly Paying[] = [
    { json: { ...COFFEE, amount_cents: -291 } },
    { json: { ...COFFEE, description: 'Tea' } },
    { account: accounts[1]! },
  ];
  for (const other of others) {
    assert.deepEqual(told(await pay({ key: 'tea', ...other })), [422, 'key-reused']);
  }
  assert.equal(await balanceOf(accounts[1]!), before);
  const [theirs] = await accountsOf(otherToken);
  const reply = await pay({ key: 'tea', token: otherToken, account: theirs! });
  assert.ok(reply.status === 201 && !isReplay(reply));
});

test('without one good key it is refused, which names the header; quotes around it are no part of it', async () => {
  const bad = [undefined, '', '""', '"a', 'a b', 'ä', 'x'.repeat(65), 'a, b'];
  for (const key of bad) {
    const reply = await pay({ key });
    assert.deepEqual(told(reply), [400, 'invalid-request'], `the key ${key}`);
    const [place] = reply.body['errors'] as readonly Record<string, unknown>[];
    assert.equal(place?.['parameter'], 'Idempotency-Key');
  }
  assert.equal((await pay({ key: '"quoted"' })).status, 201);
  assert.ok(isReplay(await pay({ key: 'quoted' })));
});

test('that it was refused for want of money stands, whatever is paid in later; a new key is a new payment', async () => {
  const [, , account] = accounts;
  const spend = { account: account!, json: { amount_cents: -921_101, description: 'Car' } };
  const first = await pay({ ...spend, key: 'car' });
  assert.deepEqual(told(first), [422, 'insufficient-funds']);
  const income = { amount_cents: 1, description: 'Gift' };
  assert.equal((await pay({ account: account!, json: income, key: 'gift' })).status, 201);
  const again = await pay({ ...spend, key: 'car' });
  assert.deepEqual(told(again), told(first));
  assert.ok(isReplay(again));
  assert.notEqual(again.body['request_id'], first.body['request_id']);
  assert.equal((await pay({ ...spend, key: 'car-2' })).status, 201);
});

test('while its body is still arriving, another with its key is told to wait', async () => {
  const body = JSON.stringify(COFFEE);
  for (let attempt = 0; ; attempt++) {
    assert.ok(attempt < 20, 'the first request was never first');
    const key = `slow-${attempt}`;
    const slow = send(`${bank.api.url}/v1/accounts/${accounts[0]}/transactions`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        'Idempotency-Key': key,
      },
    });
    const answer = once(slow, 'response');
    slow.write(body.slice(0, 10));
    await accountsOf(token);
    // Refused for its body, so that it takes no key if it comes first.
    const reply = await pay({ key, json: {} });
    slow.end(body.slice(10));
    const [response] = await answer;
    response.resume();
    if (reply.status !== 409) continue;
    assert.deepEqual(told(reply), [409, 'key-under-way']);
    assert.equal(response.statusCode, 201);
    assert.ok(isReplay(await pay({ key })));
    return;
  }
});

test('after a kill -9 every payment that was answered is there once, and each may be sent again', async () => {
  const { issuer, credentials } = bank;
  const folder = join(bank.authority.folder, 'killed');
  const settings = { issuer, folder, credentials };
  let api = await startBankingApi(settings);
  const start = await balanceOf(accounts[0]!, api);
  const answered = new Map<string, unknown>();
  let sent = 0;
  const paying = Array.from({ length: 4 }, async () => {
    for (;;) {
      const key = `k-${sent++}`;
      const reply = await pay({ key, json: { amount_cents: 1, description: key } }, api);
      assert.equal(reply.status, 201);
      answered.set(key, reply.body);
      if (answered.size === 60) api.process.child.kill('SIGKILL');
    }
  });
  for (const { reason } of (await Promise.allSettled(paying)) as PromiseRejectedResult[]) {
    assert.ok(!(reason instanceof assert.AssertionError), reason);
  }
  await api.process.stop();
  assert.ok(answered.size >= 60);

  api = await startBankingApi(settings);
  try {
    let replays = 0;
    for (let n = 0; n < sent; n++) {
      const key = `k-${n}`;
      const reply = await pay({ key, json: { amount_cents: 1, description: key } }, api);
      assert.equal(reply.status, 201);
      replays += isReplay(reply) ? 1 : 0;
      const first = answered.get(key);
      if (first === undefined) continue;
      assert.ok(isReplay(reply), `${key} was answered before`);
      assert.deepEqual(reply.body, first);
    }
    assert.ok(replays >= answered.size);
    assert.equal(await balanceOf(accounts[0]!, api), start + sent);
  } finally {
    await api.process.stop();
  }
});
