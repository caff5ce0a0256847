import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIGRATIONS as POSTGRES } from '../../postgres/migrations.ts';
import { MIGRATIONS as SQLITE } from '../../sqlite/migrations.ts';
import { SCHEMA_VERSION } from './steps.ts';

/** What nodes that do not know of a step could trip over, in the step's text. */
const BREAKING: readonly (readonly [string, RegExp])[] = [
  ['takes something away', /\b(DROP|TRUNCATE|DELETE\s+FROM)\b/i],
  ['renames something', /\bRENAME\b/i],
  ['changes a column that is there', /\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:TYPE|SET|DROP)\b/i],
  ['asks something new of what is written', /\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|FOREIGN)\b/i],
  [
    'asks for a column without a default',
    /\bADD\s+COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
  ],
];

/** Tables so large that a scan under a lock would hold up those who write to them. */
const LARGE = /\bCREATE\s+(?:UNIQUE\s+)?INDEX\b[^;]*\bON\s+(issued_tokens|audit|changes)\b/i;

/** What a step that claims to be additive does that is not. Bodies of functions run later, in their own time. */
function faultsOf(sql: string): string[] {
  const text = sql.replace(/\$\$[\s\S]*?\$\$/g, '').replace(/--.*$/gm, '');
  const faults = BREAKING.flatMap(([fault, pattern]) => (pattern.test(text) ? [fault] : []));
  const made = new Set([...text.matchAll(/\bCREATE\s+TABLE\s+(\w+)/gi)].map(([, name]) => name));
  for (const [, name] of text.matchAll(/\bCREATE\s+UNIQUE\s+INDEX\s+\w+\s+ON\s+(\w+)/gi)) {
    if (!made.has(name)) faults.push('makes what is there unique');
  }
  const scanned = LARGE.exec(text)?.[1];
  if (scanned !== undefined && !made.has(scanned)) faults.push('scans a large table');
  return faults;
}

test('a step that claims to be additive takes nothing away from nodes that do not know of it', () => {
  for (const { name, sql, needs } of [...SQLITE, ...POSTGRES]) {
    if (needs === 0) assert.deepEqual(faultsOf(sql), [], name);
  }
});

test('control: each way to break an older node is found', () => {
  const broken = [
    'DROP TABLE policies;',
    'ALTER TABLE clients DROP COLUMN name;',
    'ALTER TABLE clients RENAME COLUMN name TO title;',
    'ALTER TABLE clients ALTER COLUMN name SET NOT NULL;',
    'ALTER TABLE clients ADD COLUMN owner TEXT NOT NULL;',
    'ALTER TABLE clients ADD COLUMN a BIGINT DEFAULT 0, ADD COLUMN b TEXT NOT NULL;',
    'ALTER TABLE clients ADD CONSTRAINT named CHECK (name <> $q$$q$);',
    'CREATE UNIQUE INDEX one_name ON clients (name);',
    'CREATE INDEX audit_by_action ON audit (action);',
  ];
  for (const sql of broken) assert.equal(faultsOf(sql).length, 1, sql);
  const fine = [
    'ALTER TABLE clients ADD COLUMN owner TEXT;',
    'ALTER TABLE clients ADD COLUMN flag BIGINT NOT NULL DEFAULT 0;',
    'CREATE TABLE t (a TEXT NOT NULL); CREATE UNIQUE INDEX t_by_a ON t (a);',
    'CREATE INDEX secrets_by_mac ON secrets (mac);',
  ];
  for (const sql of fine) assert.deepEqual(faultsOf(sql), [], sql);
});

test('both stores have had the same number of steps', () => {
  assert.deepEqual([SQLITE.length, POSTGRES.length], [SCHEMA_VERSION, SCHEMA_VERSION]);
});
