/** The partner's programs without an SDK, as the guide prints them, between a real authority and a real API that fail at times. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Credentials, newClient, onboard } from './test-kit/authority.ts';
import { type Bank, openBank } from './test-kit/bank.ts';
import { startFront } from './test-kit/front.ts';

const FOLDER = join(import.meta.dirname, '../other-languages');
const PROGRAM_MS_MAX = 120_000;

type Language = {
  readonly file: string;
  readonly block: string;
  /** What may run it, the first that answers; Debian's Python may stand behind another on the path. */
  readonly commands: readonly string[];
  /** Asks a command whether it can. */
  readonly probe: readonly string[];
  readonly args?: readonly string[];
  readonly install: string;
  /** Too heavy to be set up for a test: missing, it is skipped also where `CI` is set. */
  readonly isOptional?: true;
};

const PYTHON = { block: 'python', commands: ['python3', '/usr/bin/python3'] };

const LANGUAGES: readonly Language[] = [
  {
    ...{ file: 'partner.sh', block: 'sh', commands: ['sh'], probe: ['-c', 'curl --version'] },
    install: 'apt-get install curl',
  },
  {
    ...{ file: 'partner_requests_oauthlib.py', ...PYTHON },
    ...{ probe: ['-c', 'import requests_oauthlib'] },
    install: 'apt-get install python3-requests-oauthlib',
  },
  {
    ...{ file: 'partner_authlib.py', ...PYTHON, probe: ['-c', 'import authlib, requests'] },
    install: 'apt-get install python3-authlib python3-requests',
  },
  {
    ...{ file: 'partner.go', block: 'go', commands: ['go'], probe: ['version'], args: ['run'] },
    ...{ install: 'apt-get install golang-go', isOptional: true },
  },
  {
    ...{ file: 'Partner.java', block: 'java', commands: ['java'] },
    // Of 17 and later alone: anything older does not know the switch's value.
    ...{ probe: ['--source', '17', '--version'], isOptional: true },
    install: 'apt-get install openjdk-17-jdk-headless',
  },
];

let bank: Bank;
let credentials: Credentials;
before(async () => {
  bank = await openBank();
  const programId = await onboard(bank.authority, 'Partner');
  credentials = await newClient(bank.authority, { programId });
});
after(() => bank.stop());

const commandOf = ({ commands, probe }: Language): string | undefined =>
  commands.find((one) => spawnSync(one, probe, { stdio: 'ignore' }).status === 0);

/** Runs the program before a front of its own, and gives what it printed and what passed. */
async function run(language: Language, command: string, given: Credentials) {
  const front = await startFront({ issuer: bank.issuer, api: bank.api.url });
  try {
    const ended = await promisify(execFile)(
      command,
      [...(language.args ?? []), join(FOLDER, language.file)],
      {
        cwd: await mkdtemp(join(tmpdir(), 'countersign-partner-')),
        timeout: PROGRAM_MS_MAX,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? '',
          ISSUER: front.issuer,
          BANK_API: front.api,
          CLIENT_ID: given.clientId,
          CLIENT_SECRET: given.clientSecret,
          // What oauthlib wants for an authority on this machine; nobody sets it otherwise.
          OAUTHLIB_INSECURE_TRANSPORT: '1',
        },
      },
    ).catch((error: { stdout: string; stderr: string; code: number }) => error);
    const code = 'code' in ended ? ended.code : 0;
    return { ...front, code, stdout: ended.stdout, said: ended.stdout + ended.stderr };
  } finally {
    await front.stop();
  }
}

for (const language of LANGUAGES) {
  const { file, block, install, isOptional } = language;
  const command = commandOf(language);
  const skip =
    command === undefined && (isOptional || !process.env['CI']) ? `to run it: ${install}` : false;

  test(`${file} is what the guide prints`, async () => {
    const guide = await readFile(
      join(import.meta.dirname, '../../docs/guides/other-languages.md'),
      'utf8',
    );
    const program = await readFile(join(FOLDER, file), 'utf8');
    assert.ok(guide.includes(`\`\`\`${block}\n${program}\`\`\`\n`), 'the guide prints another one');
  });

  test(`${file} calls the bank by one token, and by one more after a 401`, { skip }, async () => {
    assert.notEqual(command, undefined, install);
    const { code, stdout, said, tokens, calls } = await run(language, command ?? '', credentials);
    assert.equal(code, 0, said);
    assert.deepEqual(stdout.trim().split('\n'), ['200', '200', '200'], said);
    assert.deepEqual(statuses(tokens), [503, 200, 200], 'a 503 is waited for, a token is kept');
    assert.deepEqual(statuses(calls), [200, 401, 200, 200]);
    for (const { url, authorization, form } of tokens) {
      assert.equal(url, '/issuer/token');
      assert.equal(authorization, undefined);
      assert.deepEqual(Object.fromEntries(form), {
        grant_type: 'client_credentials',
        client_id: credentials.clientId,
        client_secret: credentials.clientSecret,
      });
    }
    const [first, second, third, fourth] = calls.map(({ authorization }) => authorization);
    assert.match(first ?? '', /^Bearer token_test_/);
    assert.equal(second, first);
    assert.notEqual(third, first);
    assert.equal(fourth, third);
    assert.ok(calls.every(({ url }) => url === '/api/v1/accounts'));
    assert.doesNotMatch(said, /(token|secret)_test_/);
  });

  test(`${file} ends at once where its credentials are refused, and shows none`, {
    skip,
  }, async () => {
    assert.notEqual(command, undefined, install);
    const wrong = { ...credentials, clientSecret: `${credentials.clientSecret}x` };
    const { code, said, tokens, calls } = await run(language, command ?? '', wrong);
    assert.notEqual(code, 0);
    assert.match(said, /401|invalid_client/);
    assert.deepEqual(statuses(tokens), [503, 401]);
    assert.deepEqual(calls, []);
    assert.doesNotMatch(said, /(token|secret)_test_/);
  });
}

function statuses(passed: readonly { readonly status: number }[]): readonly number[] {
  return passed.map(({ status }) => status);
}
