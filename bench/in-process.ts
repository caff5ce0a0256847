/** `npm run bench:in-process`: how many tokens one core verifies inside a service, beside SHA-256 alone and introspection over HTTP. */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { createVerifier, type Verifier } from '../resource-server/src/index.ts';
import { openToken, sealToken } from '../server/src/credentials/access-token.ts';
import { openAuthority } from '../server/src/in-process.ts';
import { asOperator } from '../server/src/testing/onboarding.ts';
import { spreadOf } from './figures.ts';
import { choosePlacement, describeMachine } from './machine.ts';
import { readOptions } from './options.ts';
import { scratchFolder } from './scratch.ts';
import { type Authority, startAuthority } from './servers.ts';

const HELP = `npm run bench:in-process -- [--rounds N]

Verifies tokens in this process by @countersign/resource-server on countersign/in-process, in turn with SHA-256 of 64 bytes alone
and with introspection over HTTP, on this machine. Rates are for a second of processor time of this process.
Exit code 1 when a check of a live token costs more than twelve times SHA-256, or an answer was wrong.

  --rounds N      how often each is measured, 1 to 100 (default 5); the median counts
`;

const HERE = resolve(import.meta.dirname, '..');
/** Calls in one measurement. */
const CALLS = 100_000;
/** Over HTTP each costs a hundred times as much. */
const HTTP_CALLS = 2_000;
/** What a live token may cost, in SHA-256s: where one of those takes a quarter of a microsecond, 300,000 a second are 13. */
const SHA256S_MAX = 12;
const LIVE = 'a live token, seen before';

type Subject = {
  readonly name: string;
  readonly calls: number;
  readonly run: (calls: number) => Promise<void> | void;
};

async function main(args: readonly string[]): Promise<number> {
  const { isHelpWanted, rounds } = readOptions(args);
  if (isHelpWanted) {
    process.stdout.write(HELP);
    return 0;
  }
  const data = scratchFolder();
  const server = await startAuthority(HERE, { data, place: choosePlacement().onServerCore });
  try {
    return await measure(server, { data, rounds });
  } finally {
    await server.stop();
  }
}

async function measure(
  server: Authority,
  { data, rounds }: { readonly data: string; readonly rounds: number },
): Promise<number> {
  const silent = (): void => {};
  const authority = await openAuthority({
    environment: 'sandbox',
    service: 'bench',
    settings: { COUNTERSIGN_DATA: data },
    log: { info: silent, warn: silent, error: (fields) => console.error(fields) },
  });
  const subjects = await subjectsOf(server, createVerifier({ authority, onOutage: fail }), data);
  const rates = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, calls, run } of subjects) {
      const begun = process.cpuUsage();
      await run(calls);
      const { user, system } = process.cpuUsage(begun);
      // The first round warms up.
      if (round >= 0) rates.get(name)?.push((calls / (user + system)) * 1e6);
    }
  }
  await authority.close();
  return print(rates);
}

async function subjectsOf(
  server: Authority,
  verifier: Verifier,
  data: string,
): Promise<readonly Subject[]> {
  const {
    token = '',
    client_id: clientId = '',
    client_secret: clientSecret = '',
  } = server.targets.introspect.form ?? {};
  const issuer = server.targets.introspect.url.replace(/\/introspect$/, '');
  const overHttp = createVerifier({ issuer, clientId, clientSecret, onOutage: fail });
  const forged = `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`;
  const bytes = Buffer.alloc(64, 1);
  return [
    {
      ...{ name: 'SHA-256 of 64 bytes', calls: CALLS },
      run: (calls) => {
        for (let done = 0; done < calls; done += 1) hash('sha256', bytes, 'latin1');
      },
    },
    { name: LIVE, calls: CALLS, run: (calls) => check(verifier, () => token, { calls, ok: true }) },
    {
      ...{ name: 'a live token, seen for the first time', calls: CALLS },
      run: await firstSeen(verifier, token, data),
    },
    {
      ...{ name: 'a forged token', calls: CALLS },
      run: (calls) => check(verifier, () => forged, { calls, ok: false }),
    },
    {
      ...{ name: 'over HTTP, by introspection', calls: HTTP_CALLS },
      run: (calls) => check(overHttp, () => token, { calls, ok: true }),
    },
  ];
}

/** Tokens like the one that was issued, each under a name of its own, sealed as the server would. */
function firstSeen(verifier: Verifier, token: string, data: string): Promise<Subject['run']> {
  return asOperator(data, ({ keyRing, randomness }) => {
    const opened = openToken(token, keyRing.tokenKeys(1));
    assert.ok(opened.ok);
    const { key } = keyRing.sealingKey(1);
    const tokens = Array.from({ length: CALLS }, () =>
      sealToken(key, randomness.bytes(12), opened.claims),
    );
    const run: Subject['run'] = (calls) =>
      check(verifier, (at) => tokens[at] ?? '', { calls, ok: true });
    return Promise.resolve(run);
  });
}

async function check(
  { check: ask }: Verifier,
  tokenAt: (at: number) => string,
  { calls, ok }: { readonly calls: number; readonly ok: boolean },
): Promise<void> {
  for (let done = 0; done < calls; done += 1) {
    const presented = { authorization: [`Bearer ${tokenAt(done)}`], query: '' };
    const verdict = await ask(presented, { scope: 'accounts:read' });
    if (verdict.ok !== ok) fail(verdict);
  }
}

function print(rates: ReadonlyMap<string, readonly number[]>): number {
  const { processor, cores, system, node, commit } = describeMachine(HERE);
  console.log(`${processor}, ${cores} cores, ${system}, Node ${node}, commit ${commit}\n`);
  const [[, sha256s] = ['', []]] = rates;
  let cost = Number.POSITIVE_INFINITY;
  for (const [name, rounds] of rates) {
    const { median, min, max } = spreadOf(rounds);
    const inSha256s = spreadOf(rounds.map((rate, round) => (sha256s[round] ?? 0) / rate)).median;
    if (name === LIVE) cost = inSha256s;
    const [half, low, high] = [median, min, max].map((rate) =>
      Math.round(rate).toLocaleString('en'),
    );
    console.log(
      `${name.padEnd(38)} ${half} (${low}–${high}) a second; ${inSha256s.toFixed(1)} SHA-256s`,
    );
  }
  console.log('\nMedians (lowest–highest round), for a second of processor time of this process.');
  if (cost <= SHA256S_MAX) return 0;
  console.error(`${LIVE}: ${cost.toFixed(1)} SHA-256s, above ${SHA256S_MAX}`);
  return 1;
}

function fail(why: unknown): never {
  throw new Error(`a check went wrong: ${JSON.stringify(why)}`);
}

process.exitCode = await main(process.argv.slice(2));
