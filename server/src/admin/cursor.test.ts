import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { prepareHmacKey } from '../credentials/hmac.ts';
import { cursorAt, placeOf } from './cursor.ts';
import { startApi } from './testing/running-api.ts';

const api = await startApi();
after(() => api.stop());

const listed = async (query: string): Promise<readonly string[]> => {
  const found: string[] = [];
  let cursor: unknown;
  do {
    const next: string = cursor === undefined ? '' : `&cursor=${String(cursor)}`;
    const { status, body } = await api.ask('support', `GET /programs?${query}${next}`);
    assert.equal(status, 200, JSON.stringify(body));
    found.push(...(body['items'] as { name: string }[]).map(({ name }) => name));
    cursor = body['next_cursor'];
  } while (cursor !== undefined);
  return found;
};

test('pages bring every item once and in order, also those that come meanwhile', async () => {
  const names = Array.from({ length: 7 }, (_, index) => `Paged ${index}`);
  for (const name of names) await api.ask('admin', 'POST /programs', { body: { name } });
  assert.deepEqual(await listed('limit=3&name=paged'), names);
  assert.deepEqual(await listed('limit=7&name=paged'), names);

  const { body } = await api.ask('support', 'GET /programs?limit=3&name=paged');
  await api.ask('admin', 'POST /programs', { body: { name: 'Paged late' } });
  const rest = await api.ask(
    'support',
    `GET /programs?limit=9&name=paged&cursor=${body['next_cursor']}`,
  );
  const more = (rest.body['items'] as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(more, [...names.slice(3), 'Paged late']);
  assert.equal('next_cursor' in rest.body, false);
});

test('characters of a filter mean themselves', async () => {
  for (const name of ['100% Bank', '100 Bank', 'a_b', 'axb', 'back\\slash']) {
    await api.ask('admin', 'POST /programs', { body: { name } });
  }
  assert.deepEqual(await listed(`name=${encodeURIComponent('0%')}`), ['100% Bank']);
  assert.deepEqual(await listed('name=A_B'), ['a_b']);
  assert.deepEqual(await listed(`name=${encodeURIComponent('\\')}`), ['back\\slash']);
});

test('a cursor is good for its own list alone', async () => {
  const { body } = await api.ask('support', 'GET /programs?limit=1');
  const cursor = String(body['next_cursor']);
  const swapped = cursor.slice(0, -2) + (cursor.endsWith('A') ? 'BB' : 'AA');
  for (const [role, request] of [
    ['support', `GET /programs?state=active&cursor=${cursor}`],
    ['support', `GET /clients?cursor=${cursor}`],
    ['partner', `GET /programs?cursor=${cursor}`],
    ['support', `GET /programs?cursor=${swapped}`],
    ['support', 'GET /programs?cursor=AAAA'],
  ] as const) {
    const reply = await api.ask(role, request);
    assert.equal(reply.status, 400, request);
    assert.equal((reply.body['errors'] as { parameter: string }[])[0]?.parameter, 'cursor');
  }
  const same = await api.ask('admin', `GET /programs?limit=5&cursor=${cursor}`);
  assert.equal(same.status, 200, 'another size of page is the same list');
});

test('tokens are listed newest first, in pages that newer tokens do not move', async () => {
  const program = (await api.ask('admin', 'POST /programs', { body: { name: 'T' } })).body;
  const made = await api.ask('admin', 'POST /clients', {
    body: { program_id: program['program_id'], environment: 'sandbox', name: 'one' },
  });
  const { client_id } = made.body;
  const { body } = await api.ask('auditor', `GET /clients/${client_id}/tokens?limit=1`);
  assert.deepEqual(body, { items: [] });
});

test('a cursor opens under its own key and list, and hides the place', () => {
  const keys = { 1: prepareHmacKey(Buffer.alloc(32, 1)), 2: prepareHmacKey(Buffer.alloc(32, 2)) };
  const ring = {
    newest: () => ({ version: 1, key: keys[1] }),
    of: (version: number) => keys[version as 1 | 2],
  };
  for (const place of [0, 1, 255, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const cursor = cursorAt(ring, 'list', place);
    assert.equal(placeOf(ring, 'list', cursor), place);
    assert.throws(() => placeOf(ring, 'other', cursor));
    assert.throws(() => placeOf({ ...ring, of: () => keys[2] }, 'list', cursor));
    assert.throws(() => placeOf({ ...ring, of: () => undefined }, 'list', cursor));
  }
  const [one, two] = [cursorAt(ring, 'list', 1), cursorAt(ring, 'list', 2)];
  assert.notEqual(one.slice(-8), two.slice(-8));
});
