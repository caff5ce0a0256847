import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { newNode } from '../authority.ts';
import { sealToken } from '../credentials/access-token.ts';
import { systemRandomness } from '../credentials/random.ts';
import { openDataDirectory } from '../data-directory.ts';
import type { IssuedToken, JournalReader } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import { configOf, newDataDirectory } from '../testing/data.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { asOperator, type Onboarded, onboard } from '../testing/onboarding.ts';
import { introspectEndpoint } from './introspect.ts';
import { newRecordChecks, SAMPLE_INTERVAL_MS } from './record-checks.ts';
import { tokenEndpoint } from './token.ts';

const SANDBOX = { ordinal: 1, name: 'sandbox' };
const randomness = systemRandomness();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const settled = () => new Promise((resolve) => setImmediate(resolve));

type Written = { readonly fields: Readonly<Record<string, unknown>>; readonly message: string };

function newTestLog(): { readonly log: Log; readonly written: Written[] } {
  const written: Written[] = [];
  const write = (fields: Written['fields'], message: string): void => {
    written.push({ fields, message });
  };
  return { log: { info: () => {}, warn: write, error: write }, written };
}

/** A node on a data directory, asked through its endpoints; time moves only when the test moves it. */
async function startNode(data: string, asker: Onboarded) {
  const clock = newManualClock(Date.now());
  const config = configOf(data);
  const opened = await openDataDirectory(config, { clock, randomness, actor: 'test:node' });
  const { log, written } = newTestLog();
  let lookedUp = 0;
  const reader: JournalReader = {
    list: async (query) => {
      const tokens = await opened.journal.reader.list(query);
      lookedUp += 1;
      return tokens;
    },
  };
  const journal = { ...opened.journal, reader };
  const parts = { config, data: { ...opened, journal }, clock, randomness, log };
  const { authority, start, stop } = await newNode(parts);
  await start();
  const ask = async (endpoint: typeof tokenEndpoint, form: Record<string, string>) => {
    const answer = await endpoint(
      authority,
      SANDBOX,
    )({
      requestId: 'r',
      address: '192.0.2.7',
      query: '',
      authorization: [],
      contentType: 'application/x-www-form-urlencoded',
      body: Buffer.from(new URLSearchParams(form).toString()),
    });
    return JSON.parse(answer.body) as Record<string, unknown>;
  };
  const credentials = ({ clientId, clientSecret }: Onboarded) => ({
    client_id: clientId,
    client_secret: clientSecret,
  });
  /** Time that was made to pass has passed for the lease as well, and its renewal takes real time. */
  const leaseHeld = async (): Promise<void> => {
    for (let waits = 1; !authority.follower.mayDecide(); waits += 1) {
      if (waits % 100 === 0) clock.advance(SAMPLE_INTERVAL_MS);
      await pause(5);
    }
  };
  return {
    authority,
    written,
    stop,
    issue: async (client: Onboarded): Promise<string> => {
      const form = { ...credentials(client), grant_type: 'client_credentials' };
      return String((await ask(tokenEndpoint, form))['access_token']);
    },
    introspect: (token: string) => ask(introspectEndpoint, { ...credentials(asker), token }),
    /** A sample is due from here on. */
    awaitSample: async () => {
      clock.advance(2 * SAMPLE_INTERVAL_MS);
      await settled();
      await leaseHeld();
    },
    /** Lets so much time pass that what was sampled is looked up. */
    awaitLookUp: async () => {
      const before = lookedUp;
      clock.advance(opened.journal.indexedAfterMs);
      while (lookedUp === before) {
        clock.advance(SAMPLE_INTERVAL_MS);
        await pause(5);
      }
      await settled();
      await leaseHeld();
    },
  };
}

type Node = Awaited<ReturnType<typeof startNode>>;

async function withNodes(
  body: (nodes: readonly [Node, Node], leaked: Onboarded) => Promise<void>,
): Promise<void> {
  const data = newDataDirectory();
  const [leaked, asker] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context, { resourceServer: true }),
  ]);
  assert.ok(leaked && asker);
  const nodes = [await startNode(data, asker), await startNode(data, asker)] as const;
  try {
    await body(nodes, leaked);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** A token as a thief of the key seals it: like a true one in everything, but nobody put it on record. */
function forgedAt(node: Node, { clientId }: Onboarded): string {
  const { keyRing, replica, clock } = node.authority;
  const client = replica.clients.find(clientId) ?? 0;
  return sealToken(keyRing.sealingKey(SANDBOX.ordinal).key, randomBytes(12), {
    client,
    generation: replica.generationOf(client),
    secret: 1,
    issuedAtMs: clock.wallMs(),
    lifetimeSeconds: 3600,
    scopeSet: 1,
    resource: 0,
  });
}

test('a token sealed with the true key and never put on record raises an alarm that names it', () =>
  withNodes(async ([node], leaked) => {
    await node.issue(leaked);
    const forged = forgedAt(node, leaked);
    await node.awaitSample();
    const told = await node.introspect(forged);
    assert.equal(told['active'], true, 'no node can tell it from a true one');
    await node.awaitLookUp();
    const alarms = node.written.filter(({ message }) => message.includes('not on record'));
    assert.equal(alarms.length, 1);
    assert.equal(alarms[0]?.fields['jti'], told['jti']);
    assert.equal(alarms[0]?.fields['client'], leaked.clientId);
    assert.ok(!JSON.stringify(node.written).includes(forged), 'the token itself is in no line');
  }));

test('tokens on record raise none, whichever node issued them', () =>
  withNodes(async ([node, other], leaked) => {
    for (const issuer of [node, other]) {
      const token = await issuer.issue(leaked);
      await node.awaitSample();
      assert.equal((await node.introspect(token))['active'], true);
      await node.awaitLookUp();
    }
    assert.deepEqual(node.written, []);
  }));

const CLAIMS = {
  ...{ client: 7, generation: 1, secret: 1, scopeSet: 1, resource: 0 },
  ...{ issuedAtMs: 1_000, lifetimeSeconds: 3600 },
};

/** The sampling alone, on a journal whose answers the test gives. */
function startChecks(list: JournalReader['list']) {
  const clock = newManualClock();
  const { log, written } = newTestLog();
  const checks = newRecordChecks({
    journal: { list },
    clientIdOf: (ordinal) => `client_test_${ordinal}`,
    ...{ clock, randomness, log, delayMs: 60_000 },
  });
  const verified = (
    token = { jti: randomBytes(12).toString('base64url'), claims: CLAIMS },
  ): void => {
    checks.verified(token);
  };
  const pass = async (intervals: number): Promise<void> => {
    for (let passed = 0; passed < intervals; passed += 1) {
      clock.advance(2 * SAMPLE_INTERVAL_MS);
      await settled();
    }
  };
  return { checks, written, verified, pass };
}

test('however many tokens are verified, one an interval is looked up, by client and moment alone', async () => {
  const asked: Parameters<JournalReader['list']>[0][] = [];
  const { checks, verified, pass } = startChecks((query) => {
    asked.push(query);
    return Promise.resolve<readonly IssuedToken[]>([]);
  });
  for (let interval = 0; interval < 20; interval += 1) {
    await pass(1);
    for (let token = 0; token < 1_000; token += 1) verified();
  }
  await pass(40);
  assert.equal(asked.length, 20);
  for (const { client, sinceMs, untilMs } of asked) {
    assert.deepEqual([client, sinceMs, untilMs], [7, 1_000, 1_000]);
  }
  await checks.stop();
});

test('a token that says anything else than its record is not on record', async () => {
  const jti = randomBytes(12);
  const record = { ...CLAIMS, jti, address: '192.0.2.7' };
  const { checks, written, verified, pass } = startChecks(() => Promise.resolve([record]));
  const changes = Object.entries(CLAIMS).map(([name, value]) => ({ [name]: value + 1 }));
  for (const change of [{}, ...changes]) {
    await pass(1);
    verified({ jti: jti.toString('base64url'), claims: { ...CLAIMS, ...change } });
  }
  await pass(40);
  assert.equal(written.length, changes.length, 'each but the true one');
  await checks.stop();
});

test('a journal that cannot be read is no alarm, is told, and does not end the checks', async () => {
  let isDown = true;
  const { checks, written, verified, pass } = startChecks(() =>
    isDown ? Promise.reject(new Error('down')) : Promise.resolve([]),
  );
  const messages = () => written.map(({ message }) => message);
  await pass(1);
  verified();
  await pass(20);
  assert.deepEqual(messages(), ['a verified token could not be looked up']);
  isDown = false;
  verified();
  await pass(20);
  assert.equal(messages().at(-1), 'a verified token is not on record');
  assert.equal(messages().length, 2);
  await checks.stop();
});
