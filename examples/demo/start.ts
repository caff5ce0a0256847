/**
 * `npm start`: the authority, the sample Banking API beside it, and a program that may call it, until told to stop. Everything
 * it does to the authority goes through the command line, as an operator's would.
 */

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { makeOperate, shellWord } from './command-line.ts';
import { type Onboarded, onboard } from './onboarding.ts';
import { addressText, type Options, readOptions, USAGE, WrongUsage } from './options.ts';
import { requireFree } from './ports.ts';
import { suspendedNote, transcript } from './transcript.ts';

const ROOT = join(import.meta.dirname, '../..');
const AUTHORITY = join(ROOT, 'server/src/main.ts');
const BANKING_API = join(ROOT, 'examples/banking-api/server.ts');
const DATA_DEFAULT = './data';
const ANSWER_MS_MAX = 10_000;

/** Runs the demo until a signal (exit code 0) or until one of its processes ends (an Error). */
async function demo(options: Options): Promise<void> {
  const children: Child[] = [];
  const stopping = new AbortController();
  const asked = signalled().then(() => {
    stopping.abort();
    console.log('\nStopping …');
  });
  try {
    const running = run(options, children, stopping.signal).catch((error: unknown) => {
      // What breaks because we are stopping is no news.
      if (!stopping.signal.aborted) throw error;
    });
    await Promise.race([asked, running]);
  } finally {
    stopping.abort();
    await stopAll(children);
  }
}

async function run(options: Options, children: Child[], signal: AbortSignal): Promise<never> {
  const { listen, adminListen, apiListen, data } = options;
  await requireFree([
    { at: listen, by: 'the authority', option: '--listen' },
    { at: adminListen, by: "the authority's admin listener", option: '--admin-listen' },
    { at: apiListen, by: 'the Banking API', option: '--api-listen' },
  ]);
  const origin = `http://${addressText(listen)}`;
  const api = `http://${addressText(apiListen)}`;
  const begin = (child: Parameters<typeof startChild>[0]): Child => {
    signal.throwIfAborted();
    const started = startChild(child);
    children.push(started);
    return started;
  };

  console.log(`Starting the authority on ${origin}, data in ${data} …`);
  const authority = begin(authorityProcess(options));
  await authority.healthy(`${origin}/health/ready`);
  signal.throwIfAborted();

  console.log('Onboarding the demo program, and the bank with its API …');
  const tell = (command: string): void => console.log(`  ${command}`);
  const onboarded = await onboard(makeOperate({ main: AUTHORITY, data, signal, tell }));

  console.log(`Starting the Banking API on ${api}, data in ${data}-banking-api …`);
  const issuer = `${origin}/sandbox`;
  await begin(bankingApiProcess(options, issuer, onboarded)).healthy(`${api}/health/live`);

  console.log(await introduction({ issuer, api, data, onboarded }));
  return unexpectedEnd(children);
}

function authorityProcess({
  listen,
  adminListen,
  data,
}: Options): Parameters<typeof startChild>[0] {
  const where = ['--listen', addressText(listen), '--admin-listen', addressText(adminListen)];
  return {
    name: 'authority',
    args: [AUTHORITY, 'serve', '--data', data, ...where],
    // Its routine lines would bury the commands; whoever wants them sets the level.
    env: { COUNTERSIGN_LOG_LEVEL: process.env['COUNTERSIGN_LOG_LEVEL'] ?? 'warn' },
  };
}

function bankingApiProcess(
  { apiListen, data }: Options,
  issuer: string,
  { bank }: Onboarded,
): Parameters<typeof startChild>[0] {
  return {
    name: 'banking-api',
    args: [BANKING_API],
    env: {
      BANKING_API_LISTEN: addressText(apiListen),
      BANKING_API_DATA: `${data}-banking-api`,
      ISSUER: issuer,
      CLIENT_ID: bank.clientId,
      CLIENT_SECRET: bank.clientSecret,
    },
  };
}

/** What to paste where; or, when somebody has suspended the demo program, how to let it in again. */
async function introduction(demo: {
  readonly issuer: string;
  readonly api: string;
  readonly data: string;
  readonly onboarded: Onboarded;
}): Promise<string> {
  const { issuer, api, data, onboarded } = demo;
  const { programId, partner, suspended } = onboarded;
  const dataFlags = data === DATA_DEFAULT ? '' : ` --data ${shellWord(data)}`;
  if (suspended !== undefined) return suspendedNote({ ...suspended, dataFlags });
  const tokenEndpoint = `${issuer}/token`;
  const accountsUrl = `${api}/v1/accounts`;
  const granted = await answerOf(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: partner.clientId,
      client_secret: partner.clientSecret,
      grant_type: 'client_credentials',
    }),
  });
  const accessToken = String(granted['access_token']);
  const headers = { Authorization: `Bearer ${accessToken}` };
  const { data: accounts } = await answerOf(`${accountsUrl}?limit=1`, { headers });
  return transcript({
    ...partner,
    tokenEndpoint,
    accessToken,
    expiresIn: Number(granted['expires_in']),
    accountsUrl,
    accountId: String(Object(accounts)[0]?.account_id),
    paymentKey: randomUUID(),
    programId,
    dataFlags,
  });
}

/** What one of the two answers to the demo program. */
async function answerOf(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  const answer = Object(await response.json());
  if (response.ok) return answer;
  throw new Error(`${url} refuses the demo program: ${answer.error_description ?? answer.detail}`);
}

async function unexpectedEnd(children: readonly Child[]): Promise<never> {
  const ends = children.map(async ({ name, ended }) => ({ name, how: await ended }));
  const { name, how } = await Promise.race(ends);
  throw new Error(`The ${name} has ended by itself (${how}); its own words, if any, stand above.`);
}

/** The API first: what it has under way still needs the authority. */
async function stopAll(children: readonly Child[]): Promise<void> {
  for (const { name, stop } of [...children].reverse()) {
    if (!(await stop())) throw new Error(`The ${name} did not stop in time and was killed.`);
  }
}

/** The first signal that asks us to end. Later ones change nothing: Ctrl-C may come from the terminal and from npm. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
  });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await demo(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof WrongUsage ? 2 : 1;
  if (error instanceof WrongUsage) console.error(`\n${USAGE}`);
}
