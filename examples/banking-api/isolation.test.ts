/** Program isolation: by real programs with real tokens on the real API, and by what happens to them when one condition is left out. */

import assert from 'node:assert/strict';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newClient, onboard, tokenOf } from './test-kit/authority.ts';
import { type Bank, openBank, startBankingApi } from './test-kit/bank.ts';
import { type Program, requireIsolated } from './test-kit/isolated-programs.ts';

const ROOT = join(import.meta.dirname, '../..');
/** How a query says whose rows it means. That an update says so too is not seen: what it moves was found by a query. */
const CONDITION = /(?<!update .*)(?:program_id|\$\{owner\}) = \?/g;

let bank: Bank;
let programs: readonly Program[];

before(async () => {
  bank = await openBank();
  programs = await Promise.all(
    ['Program A', 'Program B', 'Program C'].map(async (name) => {
      const programId = await onboard(bank.authority, name);
      const client = await newClient(bank.authority, { programId });
      return { programId, token: await tokenOf(bank.issuer, client) };
    }),
  );
});
after(() => bank?.stop());

test('a program sees exactly its sample data and what it wrote, whatever all of them do at once', async () => {
  await requireIsolated(bank.api, programs, 20);
});

test('each condition on the program is needed: a store without it is found out', async (t) => {
  const sources = (await readdir(import.meta.dirname)).filter((name) => /^[^.]+\.ts$/.test(name));
  let conditions = 0;
  for (const name of sources) {
    const source = await readFile(join(import.meta.dirname, name), 'utf8');
    for (const { index, 0: condition } of source.matchAll(CONDITION)) {
      conditions += 1;
      const left = source.slice(0, index);
      // It takes the same parameter, and holds for every row.
      const without = `${left}? is not null${source.slice(index + condition.length)}`;
      await t.test(`${name}:${left.split('\n').length}`, async () => {
        await assert.rejects(
          isolatedIn(`${conditions}`, name, without),
          (error: Error) => (error.cause ?? error) instanceof assert.AssertionError,
        );
      });
    }
  }
  assert.equal(conditions, 5);
});

/** The same on a copy of the API in which one file reads otherwise. */
async function isolatedIn(copy: string, name: string, source: string): Promise<void> {
  const folder = join(bank.authority.folder, copy, 'banking-api');
  await cp(import.meta.dirname, folder, { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, name), source);
  const api = await startBankingApi({
    ...{ issuer: bank.issuer, folder, credentials: bank.credentials },
    server: join(folder, 'server.ts'),
  });
  try {
    await requireIsolated(api, programs, 20);
  } finally {
    await api.process.stop();
  }
}
