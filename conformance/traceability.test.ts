import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const CASES: Readonly<Record<string, number>> = { T: 75, B: 30, I: 30, R: 16, D: 15, A: 7 };

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

type Row = { readonly id: string; readonly files: readonly string[]; state: string; note: string };

const rows: readonly Row[] = read('README.md')
  .split('\n')
  .map((line) => /^\| ([TBIRDA]-\d\d) \| [^|]+ \| ([^|]*) \| (\w+) \| ([^|]*) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, id = '', files = '', state = '', note = '']) => ({
    id,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    state,
    note: note.trim(),
  }));

test('every case stands in the table once, in order', () => {
  const all = Object.entries(CASES).flatMap(([family, count]) =>
    Array.from({ length: count }, (_, n) => `${family}-${String(n + 1).padStart(2, '0')}`),
  );
  assert.deepEqual(
    rows.map(({ id }) => id),
    all,
  );
});

test('a case that passes or was decided is named by each test file that its row names', () => {
  for (const { id, files, state } of rows.filter((row) => row.state !== 'later')) {
    assert.match(state, /^(pass|decided)$/, id);
    assert.notEqual(files.length, 0, id);
    for (const file of files) assert.ok(read(file).includes(id), `${file} does not name ${id}`);
  }
});

test('what was decided, and what comes later, has its reason', () => {
  for (const { id, state, note, files } of rows.filter((row) => row.state !== 'pass')) {
    assert.ok(note.length > 10, `${id} is ${state} without a reason`);
    if (state === 'later') assert.deepEqual(files, [], id);
  }
});
