import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newClientTable } from './client-table.ts';

const BASE62 = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
const ids = fc.array(fc.constantFrom(...BASE62), { minLength: 16, maxLength: 16 });

const client = (ordinal: number, id: string, environment = 1) => ({
  ordinal,
  clientId: `client_${environment === 1 ? 'test' : 'live'}_${id}`,
  program: ordinal * 2,
  environment,
  generation: ordinal * 3,
  state: 'active' as const,
  resourceServer: ordinal % 2 === 0,
});

test('the table answers what a plain map of the same clients would', () => {
  fc.assert(
    fc.property(fc.uniqueArray(ids, { selector: String, maxLength: 200 }), (many) => {
      const table = newClientTable();
      const clients = many.map((id, index) => client(index * 7 + 1, id.join(''), 1 + (index % 2)));
      for (const one of clients) table.set(one);
      for (const one of clients) {
        assert.equal(table.find(one.clientId), one.ordinal);
        assert.equal(table.clientId(one.ordinal), one.clientId);
        assert.equal(table.program(one.ordinal), one.program);
        assert.equal(table.generation(one.ordinal), one.generation);
        assert.equal(table.environment(one.ordinal), one.environment);
        assert.equal(table.isResourceServer(one.ordinal), one.resourceServer);
        assert.equal(table.has(one.ordinal + 1), false);
      }
    }),
    { numRuns: 50 },
  );
});

test('a client_id is found only as it stands: not by case, by a longer text or by its random part', () => {
  const table = newClientTable();
  table.set(client(1, 'AbcdefghijklmnoP'));
  assert.equal(table.find('client_test_AbcdefghijklmnoP'), 1);
  for (const other of [
    'client_test_abcdefghijklmnop',
    'client_live_AbcdefghijklmnoP',
    'AbcdefghijklmnoP',
    ' client_test_AbcdefghijklmnoP',
    'client_test_AbcdefghijklmnoP ',
    'client_test_AbcdefghijklmnoPclient_test_AbcdefghijklmnoP',
    '',
  ]) {
    assert.equal(table.find(other), undefined, other);
  }
});

test('it grows past its first size and forgets everything when cleared', () => {
  const table = newClientTable();
  const id = (n: number) => String(n).padStart(16, 'x');
  for (let n = 1; n <= 5_000; n += 1) table.set(client(n, id(n)));
  assert.equal(table.find(client(4_321, id(4_321)).clientId), 4_321);
  table.set({ ...client(4_321, id(4_321)), state: 'suspended', generation: 7 });
  assert.equal(table.state(4_321), 'suspended');
  assert.equal(table.generation(4_321), 7);
  table.clear();
  assert.equal(table.find(client(4_321, id(4_321)).clientId), undefined);
  assert.equal(table.lastOrdinal, 0);
});
