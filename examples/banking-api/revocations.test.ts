/** A verifier that remembers, on real authorities: what it no longer asks, what a receipt proves of it, and what happens when nobody answers. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier, type Verifier } from '@countersign/resource-server';
import {
  type Authority,
  type Credentials,
  newClient,
  onboard,
  startAuthority,
  tokenOf,
} from './test-kit/authority.ts';

/** What a lapse may take, with its margins. */
const LAPSE_MS = 4_100;

let authority: Authority;
let issuer: string;
let own: Credentials;

before(async () => {
  authority = await startAuthority();
  issuer = authority.issuer('sandbox');
  const programId = await onboard(authority, 'Bank');
  own = await newClient(authority, { programId, flags: ['--resource-server'] });
});
after(() => authority?.stop());

/** A verifier that counts its questions, and whose way to the authority can be held up in either direction. */
function newCounting() {
  const counting = { questions: 0, outages: [] as string[], cutsPings: false, heldUpMs: 0 };
  /** Hands on what came, some time after it came, and in its order. */
  const late = (response: Response): Response => {
    const held = new TransformStream<Uint8Array, Uint8Array>({
      transform: async (chunk, to) => {
        if (counting.heldUpMs > 0) await sleep(counting.heldUpMs);
        to.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(held) ?? null, response);
  };
  const verifier = createVerifier({
    issuer,
    ...own,
    revocations: true,
    onOutage: ({ message }) => counting.outages.push(message),
    fetch: (input, init) => {
      const url = String(input);
      if (url.endsWith('/introspect')) counting.questions += 1;
      if (url.endsWith('/ping') && counting.cutsPings) return new Promise(() => {});
      const response = fetch(input, init);
      return url.endsWith('/revocations') ? response.then(late) : response;
    },
  });
  return { counting, verifier };
}

async function newPartner() {
  const programId = await onboard(authority, 'Partner');
  const credentials = await newClient(authority, { programId });
  return { programId, credentials, token: await tokenOf(issuer, credentials) };
}

const isAccepted = async ({ verify }: Verifier, token: string): Promise<boolean> => {
  const headers = { authorization: `Bearer ${token}` };
  const verdict = await verify(new Request('https://api.bank.example/', { headers }));
  if (!verdict.ok) assert.equal(verdict.response.status, 401);
  return verdict.ok;
};

/** Asks until an answer needs no question. */
async function untilRemembered(
  { verifier, counting }: ReturnType<typeof newCounting>,
  token: string,
): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const { questions } = counting;
    assert.equal(await isAccepted(verifier, token), true);
    if (counting.questions === questions) return;
    assert.ok(performance.now() < deadlineMs, `never remembered: ${counting.outages.join('; ')}`);
    await sleep(20);
  }
}

type Entries = readonly { readonly node: string; readonly ms: number }[];
const ofSubscribers = (receipt: Readonly<Record<string, unknown>>, list: string): Entries =>
  (receipt[list] as Entries).filter(({ node }) => node.startsWith('subscribers:'));

test('a remembered token is dead by the receipt, which lists the subscribers and takes no lease', async () => {
  const counted = newCounting();
  const { verifier, counting } = counted;
  try {
    const [leaked, other] = [await newPartner(), await newPartner()];
    await untilRemembered(counted, leaked.token);
    await untilRemembered(counted, other.token);
    const { questions } = counting;
    for (let n = 0; n < 200; n++) assert.equal(await isAccepted(verifier, leaked.token), true);
    assert.ok(counting.questions - questions <= 2, `${counting.questions - questions} questions`);

    const receipt = await authority.operate(
      'program',
      'suspend',
      leaked.programId,
      '--reason',
      'x',
    );
    assert.equal(await isAccepted(verifier, leaked.token), false);
    assert.equal(receipt['complete'], true);
    const [entry, ...others] = ofSubscribers(receipt, 'confirmed');
    assert.deepEqual(others, []);
    assert.ok(entry !== undefined && entry.ms < 2_000, `${entry?.ms} ms`);

    await authority.operate('program', 'reactivate', leaked.programId);
    assert.equal(await isAccepted(verifier, leaked.token), false, 'what was killed stays dead');
    const fresh = await tokenOf(issuer, leaked.credentials);
    await untilRemembered(counted, fresh);
    await authority.operate('token', 'revoke', fresh);
    assert.equal(await isAccepted(verifier, fresh), false);
    assert.equal(await isAccepted(verifier, other.token), true);
  } finally {
    verifier.close();
  }
});

test('a client and a secret with its tokens die as fast as a program', async () => {
  const counted = newCounting();
  try {
    const [one, two] = [await newPartner(), await newPartner()];
    await untilRemembered(counted, one.token);
    await untilRemembered(counted, two.token);
    await authority.operate('client', 'suspend', one.credentials.clientId, '--reason', 'x');
    assert.equal(await isAccepted(counted.verifier, one.token), false);
    const secrets = await authority.operate('secret', 'list', two.credentials.clientId);
    const [secret] = secrets as unknown as readonly Readonly<Record<string, unknown>>[];
    await authority.operate('secret', 'revoke', String(secret?.['secret_id']), '--kill-tokens');
    assert.equal(await isAccepted(counted.verifier, two.token), false);
  } finally {
    counted.verifier.close();
  }
});

test('a subscriber that confirms nothing holds the receipt up until it has lapsed, and asks from then on', async () => {
  const counted = newCounting();
  const { verifier, counting } = counted;
  try {
    const { programId, token } = await newPartner();
    await untilRemembered(counted, token);
    counting.cutsPings = true;
    const suspended = authority.operate('program', 'suspend', programId, '--reason', 'x');
    const receipt = await suspended;
    // Not by the stream alone, which still told it: by the receipt it must not have been able to decide.
    assert.equal(await isAccepted(verifier, token), false);
    assert.equal(receipt['complete'], true);
    const entries = [...ofSubscribers(receipt, 'confirmed'), ...ofSubscribers(receipt, 'fenced')];
    assert.equal(entries.length, 1);
    await sleep(LAPSE_MS);
    const other = await newPartner();
    const { questions } = counting;
    for (let n = 0; n < 3; n++) assert.equal(await isAccepted(verifier, other.token), true);
    assert.equal(counting.questions - questions, 3, 'without the lease each call is a question');
  } finally {
    verifier.close();
  }
});

test('a stranger, a client that is no resource server and another environment hear nothing', async () => {
  const { credentials } = await newPartner();
  const ask = (base: string, by?: Credentials) => {
    const basic = by && `Basic ${btoa(`${by.clientId}:${by.clientSecret}`)}`;
    const headers: Record<string, string> =
      basic === undefined ? {} : { 'X-Gateway-Authorization': basic };
    return fetch(`${base}/revocations`, { headers });
  };
  for (const [by, status] of [
    [undefined, 403],
    [credentials, 403],
    [{ ...own, clientSecret: 'wrong' }, 401],
  ] as const) {
    const response = await ask(issuer, by);
    await response.body?.cancel();
    assert.equal(response.status, status);
  }
  const elsewhere = await ask(authority.issuer('production'), own);
  await elsewhere.body?.cancel();
  assert.equal(elsewhere.status, 401);
});

test('a subscriber that hears everything late goes on at most until it lapses, and never past the receipt', async () => {
  const counted = newCounting();
  const { verifier, counting } = counted;
  try {
    const { programId, token } = await newPartner();
    await untilRemembered(counted, token);
    // Longer than the receipt may wait: what the stream says about the suspension comes after it.
    counting.heldUpMs = 20_000;
    let isOver = false;
    const suspended = authority.operate('program', 'suspend', programId, '--reason', 'x');
    void suspended.finally(() => {
      isOver = true;
    });
    const { questions } = counting;
    let acceptedUnasked = 0;
    while (!isOver) {
      const before = counting.questions;
      const accepted = await isAccepted(verifier, token);
      if (accepted && counting.questions === before) acceptedUnasked += 1;
      await sleep(5);
    }
    assert.equal(await isAccepted(verifier, token), false);
    assert.ok(acceptedUnasked > 0, 'the lease ran while the receipt waited for it');
    assert.ok(counting.questions > questions);
    assert.equal((await suspended)['complete'], true);
  } finally {
    verifier.close();
  }
});

// Last: it ends the authority.
test('when the authority is killed remembered answers count for three seconds at most, and receipts wait for that', async () => {
  const counted = newCounting();
  const { verifier } = counted;
  try {
    const { programId, token } = await newPartner();
    await untilRemembered(counted, token);
    await authority.process.stop('SIGKILL');
    const suspended = authority.operate('program', 'suspend', programId, '--reason', 'x');
    const killedMs = performance.now();
    let acceptedMs = 0;
    for (;;) {
      const headers = { authorization: `Bearer ${token}` };
      const verdict = await verifier.verify(new Request('https://api.bank.example/', { headers }));
      if (!verdict.ok) {
        assert.equal(verdict.response.status, 503);
        assert.equal(verdict.response.headers.get('WWW-Authenticate'), null);
        break;
      }
      acceptedMs = performance.now() - killedMs;
      assert.ok(acceptedMs <= 3_000);
      await sleep(10);
    }
    const receipt = await suspended;
    assert.equal(receipt['complete'], true);
    const [entry] = ofSubscribers(receipt, 'fenced');
    assert.ok(
      entry !== undefined && entry.ms >= 3_000,
      'its process being gone ends no lease of theirs',
    );
  } finally {
    verifier.close();
  }
});
