/** The partner's quick starts as the guide prints them, each beside a real authority and a real API. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newClient, onboard } from './test-kit/authority.ts';
import { type Bank, openBank } from './test-kit/bank.ts';
import { freePort } from './test-kit/gateway.ts';
import { type Running, start } from './test-kit/process.ts';

const FRAMEWORKS = ['node', 'fastify', 'express', 'hono'] as const;
const START_MS_MAX = 60_000;
const CALLERS = 50;

const fileOf = (name: string): string =>
  join(import.meta.dirname, `../quick-starts/partner-${name}.ts`);

let bank: Bank;
let programId: string;
const partners = new Map<string, { clientId: string; url: string; running: Running }>();

async function startPartner(name: string): Promise<void> {
  const { clientId, clientSecret } = await newClient(bank.authority, { programId });
  const port = await freePort();
  const running = start([fileOf(name)], {
    cwd: bank.authority.folder,
    env: {
      ISSUER: bank.issuer,
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
      BANK_API: bank.api.url,
      PORT: String(port),
    },
  });
  const url = `http://localhost:${port}/`;
  partners.set(name, { clientId, url: `${url}accounts`, running });
  const deadline = performance.now() + START_MS_MAX;
  while (!(await fetch(`${url}up`).then(consumed, () => false))) {
    assert.ok(performance.now() < deadline, running.lines.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const consumed = async (answer: Response): Promise<boolean> => {
  await answer.text();
  return true;
};

const partnerOf = (name: string) => partners.get(name) ?? assert.fail(`${name} did not start`);

before(async () => {
  bank = await openBank({ port: await freePort() });
  programId = await onboard(bank.authority, 'Partner');
  await Promise.all(FRAMEWORKS.map(startPartner));
});
after(async () => {
  await Promise.all([...partners.values()].map(({ running }) => running.stop()));
  await bank.stop();
});

for (const name of FRAMEWORKS) {
  describe(name, () => {
    test('its page of the guide is the program itself', async () => {
      const guide = await readFile(join(import.meta.dirname, '../../docs/guides/sdk.md'), 'utf8');
      const [, program = ''] = (await readFile(fileOf(name), 'utf8')).split(/^\/\*\* .+ \*\/\n\n/);
      assert.notEqual(program, '');
      assert.ok(
        guide.includes(`\`\`\`ts\n${program}\`\`\`\n`),
        'docs/guides/sdk.md shows another one',
      );
      assert.ok(program.trimEnd().split('\n').length <= 20);
    });

    test('fifty requests of its own are answered from the bank, by one token', async () => {
      const { url, clientId } = partnerOf(name);
      const answers = await Promise.all(Array.from({ length: CALLERS }, () => fetch(url)));
      for (const answer of answers) {
        assert.equal(answer.status, 200);
        assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
        assert.ok('data' in ((await answer.json()) as object));
      }
      const issued = await bank.authority.operate('token', 'list', '--client', clientId);
      assert.equal((issued as unknown as readonly unknown[]).length, 1);
    });
  });
}

test('once the program is suspended all of them stop, and say nothing that is secret', async () => {
  await bank.authority.operate('program', 'suspend', programId, '--reason', 'leaked');
  for (const name of FRAMEWORKS) {
    const { url, running } = partnerOf(name);
    const answer = await fetch(url);
    assert.ok(answer.status >= 500, `${name}: ${answer.status}`);
    const said = `${await answer.text()}\n${running.lines.join('\n')}`;
    assert.doesNotMatch(said, /(token|secret)_test_/, name);
  }
});
