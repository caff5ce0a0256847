import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_ROUTES } from '../admin/admin-api.ts';
import { COMMANDS } from './commands.ts';

/** Commands that have no row in the admin API under their own words: what they are there, or why they are not. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  serve: 'it is the server',
  migrate: 'it needs the files or the database of a machine',
  backup: 'it writes a file on a machine',
  restore: 'it needs the files and the master key of a machine',
  'store copy': 'it needs two databases',
  'store recover': 'it needs the database of a machine',
  'keys rewrap': 'it needs the new master key',
  'keys list': 'key.list',
  'keys rotate': 'key.rotate',
  'keys retire': 'key.retire',
  'audit export': 'audit.list',
  explain: 'request.explain',
  receipt: 'receipt.show',
  nodes: 'node.list',
};

const operations = new Set(ADMIN_ROUTES.map(({ operation }) => operation));

test('whatever the command line can do, the admin API can do, unless it needs a machine', () => {
  for (const { path } of COMMANDS) {
    const words = path.join(' ');
    const isThere = operations.has(path.join('.'));
    assert.ok(
      isThere || ELSEWHERE[words] !== undefined,
      `'countersign ${words}' has no row in server/src/admin/routes: add one, or say here why not`,
    );
  }
});

test('what is said to be elsewhere is a command, and what it is called there is a row', () => {
  const commands = new Set(COMMANDS.map(({ path }) => path.join(' ')));
  for (const [words, where] of Object.entries(ELSEWHERE)) {
    assert.ok(commands.has(words), words);
    if (/^[a-z-]+\.[a-z-]+$/.test(where)) assert.ok(operations.has(where), where);
  }
});
