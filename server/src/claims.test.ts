import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { commandLine } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import { asOperator, onboard, post, requestToken } from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';

const RACERS = 50;

const data = newDataDirectory();
const cli = commandLine(data);
let server: RunningServer;
let programId: string;

before(async () => {
  ({ programId } = await asOperator(data, onboard));
  server = await startServer(data);
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

type Claimed = {
  readonly clientId: string;
  readonly claimId: string;
  /** On this server, whose port the issuer knows as well. */
  readonly url: string;
  readonly passphrase: string;
};

async function newClient(...options: readonly string[]): Promise<Claimed> {
  const where = ['--program', programId, '--environment', 'sandbox', '--name', 'A <b>&"server"'];
  return claimed(await cli.json('client', 'create', ...where, '--claim', ...options));
}

function claimed(printed: Record<string, unknown>): Claimed {
  return {
    clientId: String(printed['client_id']),
    claimId: String(printed['claim_id']),
    url: String(printed['claim_url']),
    passphrase: String(printed['claim_passphrase'] ?? ''),
  };
}

type Page = { readonly status: number; readonly text: string; readonly headers: Headers };

async function pageOf(answer: Promise<Response>): Promise<Page> {
  const { status, headers, ...rest } = await answer.then(async (response) => ({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  }));
  return { status, headers, text: rest.text };
}

const look = ({ url }: Claimed, method = 'GET') => pageOf(fetch(url, { method }));
const act = ({ url, passphrase }: Claimed, action: string, given = passphrase) =>
  pageOf(post(url, { action, passphrase: given }));
const reveal = (claim: Claimed, given?: string) => act(claim, 'reveal', given);
const secretIn = ({ text }: Page) => /secret_test_[0-9A-Za-z]{49}/.exec(text)?.[0];

async function stateOf({ claimId }: Claimed): Promise<unknown> {
  return (await cli.json('claim', 'show', claimId))['state'];
}

async function works(claim: Claimed, clientSecret: string): Promise<boolean> {
  const client = { clientId: claim.clientId, clientSecret, programId, secretId: '' };
  return (await requestToken(server.url, client)) !== undefined;
}

async function auditOf(action: string, target: string) {
  const lines = (await cli.json('audit', 'list', '--limit', '1000')) as unknown as {
    action: string;
    target: string;
    actor: string;
    detail: Record<string, unknown>;
  }[];
  return lines.filter((line) => line.action === action && line.target === target);
}

describe('a claim', () => {
  test('is printed instead of a secret, and there is no secret until it is revealed', async () => {
    const claim = await newClient();
    assert.match(claim.claimId, /^clm_[0-9A-Za-z]{16}$/);
    assert.match(claim.url, /\/sandbox\/claim\/clm_[0-9A-Za-z]{16}\/[0-9A-Za-z]{22}$/);
    assert.match(claim.passphrase, /^\w{4}-\w{4}-\w{4}$/);
    assert.deepEqual(await cli.json('secret', 'list', claim.clientId), []);
    const opened = await look(claim);
    assert.equal(opened.status, 200);
    assert.ok(opened.text.includes('A &lt;b&gt;&amp;&quot;server&quot;'), 'names are escaped');
    assert.ok(!opened.text.includes('<b>&'), 'names are escaped');
    const shown = await reveal(claim);
    assert.equal(shown.status, 200);
    const secret = secretIn(shown) ?? assert.fail('it is shown');
    assert.ok(await works(claim, secret), 'on every node, at once');
    assert.ok(shown.text.includes(`${server.url}/sandbox/token`));
    const again = await reveal(claim);
    assert.equal(again.status, 410);
    assert.equal(secretIn(again), undefined);
    const [line] = await auditOf('claim.used', claim.claimId);
    assert.equal(line?.actor, `claim:${claim.claimId}`);
    assert.equal(line?.detail['from'], '127.0.0.1');
  });

  test('is not used up by looking: no GET, HEAD or prefetch makes a secret', async () => {
    const claim = await newClient();
    for (const headers of [{}, { 'sec-purpose': 'prefetch' }, { 'sec-fetch-site': 'cross-site' }]) {
      assert.equal((await pageOf(fetch(claim.url, { headers }))).status, 200);
    }
    assert.equal((await look(claim, 'HEAD')).status, 200);
    const { pathname } = new URL(claim.url);
    assert.equal((await fetch(`${server.url}${pathname}?action=reveal`)).status, 200);
    assert.equal((await fetch(claim.url, { method: 'PUT' })).status, 405);
    assert.equal(await stateOf(claim), 'open');
    assert.deepEqual(await cli.json('secret', 'list', claim.clientId), []);
  });

  test(`raced by ${RACERS} at once gives exactly one of them the one secret`, async () => {
    const claim = await newClient();
    const pages = await Promise.all(Array.from({ length: RACERS }, () => reveal(claim)));
    const secrets = pages.flatMap((page) => secretIn(page) ?? []);
    assert.equal(secrets.length, 1);
    assert.ok(await works(claim, secrets[0] ?? ''));
    assert.equal(((await cli.json('secret', 'list', claim.clientId)) as unknown as []).length, 1);
    assert.equal((await auditOf('claim.used', claim.claimId)).length, 1);
    for (const page of pages) assert.ok([200, 410].includes(page.status), `${page.status}`);
  });

  test('is dead after five wrong passphrases, however many come at once', async () => {
    const claim = await newClient();
    const first = await reveal(claim, 'wrong');
    assert.equal(first.status, 403);
    assert.match(first.text, /Attempts left: 4/);
    await Promise.all(Array.from({ length: 12 }, (_, index) => reveal(claim, `wrong ${index}`)));
    assert.equal((await auditOf('claim.failed', claim.claimId)).length, 5);
    assert.equal(await stateOf(claim), 'locked');
    const late = await reveal(claim);
    assert.equal(late.status, 410);
    assert.equal(secretIn(late), undefined);
  });

  test('that was used says when and from where, and its holder can stop the secret and its tokens', async () => {
    const claim = await newClient();
    const secret = secretIn(await reveal(claim)) ?? assert.fail('it is shown');
    const used = await look(claim);
    assert.equal(used.status, 410);
    assert.match(used.text, /was shown at\s+<strong><time datetime="\d{4}-/);
    assert.ok(used.text.includes('<strong>127.0.0.1</strong>'));
    for (let n = 0; n < 6; n += 1) {
      const wrong = await act(claim, 'stop', 'wrong');
      assert.equal(wrong.status, 403);
      assert.match(wrong.text, /The passphrase was wrong\.<\/p>[\s\S]*Stop this secret/);
    }
    assert.ok(await works(claim, secret), 'whoever has the link alone stops nothing');
    const stopped = await act(claim, 'stop');
    assert.equal(stopped.status, 200);
    assert.match(stopped.text, /is stopped/);
    assert.ok(!(await works(claim, secret)));
    const secrets = (await cli.json('secret', 'list', claim.clientId)) as unknown as {
      secret_id: string;
      state: string;
    }[];
    assert.equal(secrets[0]?.state, 'revoked');
    const [line] = await auditOf('secret.revoke', String(secrets[0]?.secret_id));
    assert.equal(line?.actor, `claim:${claim.claimId}`);
    assert.equal(line?.detail['kill_tokens'], true);
    assert.equal(await stateOf(claim), 'stopped');
  });

  test('of a rotation ends the earlier secrets when it is used, not before', async () => {
    const owner = await asOperator(data, onboard);
    const overlap = ['--claim', '--overlap', '0s'];
    const claim = claimed(await cli.json('secret', 'rotate', owner.clientId, ...overlap));
    assert.ok(await works(claim, owner.clientSecret));
    const shown = await reveal(claim);
    assert.ok(await works(claim, secretIn(shown) ?? ''));
    assert.ok(!(await works(claim, owner.clientSecret)));
    assert.match(shown.text, /earlier secrets of the client have ended/);
  });

  test('made anew for a client revokes the one that was not used', async () => {
    const first = await newClient();
    const second = claimed(
      await cli.json('secret', 'create', first.clientId, '--claim', '--no-passphrase'),
    );
    assert.equal(second.passphrase, '');
    assert.equal((await reveal(first)).status, 410);
    const page = await look(second);
    assert.ok(!page.text.includes('name="passphrase"'));
    assert.ok(secretIn(await reveal(second)));
    assert.equal((await auditOf('claim.create', second.claimId))[0]?.detail['passphrase'], false);
  });

  test('that was revoked or has run out shows nothing, and says so', async () => {
    const revoked = await newClient();
    await cli.json('claim', 'revoke', revoked.claimId);
    const short = await newClient('--claim-expires', '1s');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (const claim of [revoked, short]) {
      for (const page of [await look(claim), await reveal(claim)]) {
        assert.equal(page.status, 410);
        assert.match(page.text, /has ended/);
      }
    }
    assert.deepEqual([await stateOf(revoked), await stateOf(short)], ['revoked', 'expired']);
    const used = await newClient();
    await reveal(used);
    const refused = await cli(['claim', 'revoke', used.claimId]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /secret revoke/);
  });

  test('of a suspended client is on hold, and good again afterwards', async () => {
    const claim = await newClient();
    await cli.json('client', 'suspend', claim.clientId, '--reason', 'leak');
    for (const page of [await look(claim), await reveal(claim)]) {
      assert.equal(page.status, 409);
      assert.match(page.text, /stays good/);
    }
    await cli.json('client', 'reactivate', claim.clientId);
    assert.ok(secretIn(await reveal(claim)));
    const deleted = await newClient();
    await cli.json('client', 'delete', deleted.clientId);
    assert.equal((await reveal(deleted)).status, 410);
  });

  test('shows the same page for every link that is none, in either environment', async () => {
    const claim = await newClient();
    const wrongs = [
      `${claim.url.slice(0, -1)}${claim.url.endsWith('0') ? '1' : '0'}`,
      claim.url.replace('/sandbox/', '/production/'),
      claim.url.replace(claim.claimId, 'clm_0123456789abcdef'),
      claim.url.replace(claim.claimId, 'nothing'),
    ];
    const texts = new Set<string>();
    for (const url of wrongs) {
      for (const page of [await look({ ...claim, url }), await reveal({ ...claim, url })]) {
        assert.equal(page.status, 404);
        texts.add(page.text);
      }
    }
    assert.equal(texts.size, 1);
    assert.equal(await stateOf(claim), 'open');
  });

  test('is refused to a form of another site, and open to our own page and to curl', async () => {
    const claim = await newClient();
    const body = () => new URLSearchParams({ action: 'reveal', passphrase: claim.passphrase });
    const from = (headers: Record<string, string>) =>
      pageOf(fetch(claim.url, { method: 'POST', headers, body: body() }));
    for (const site of ['cross-site', 'same-site', 'none']) {
      assert.equal((await from({ 'sec-fetch-site': site })).status, 403);
    }
    assert.equal((await from({ origin: 'https://evil.example' })).status, 403);
    assert.equal(await stateOf(claim), 'open');
    // What a browser sends from a page that forbids referrers.
    const own = await from({ 'sec-fetch-site': 'same-origin', origin: 'null' });
    assert.ok(secretIn(own));
  });

  test('leaves neither its code, its passphrase nor its secret in the log', async () => {
    const claim = await newClient();
    await reveal(claim, 'wrong words');
    const secret = secretIn(await reveal(claim)) ?? assert.fail('it is shown');
    await look({ ...claim, url: `${claim.url}x` });
    const code = claim.url.split('/').at(-1) ?? '';
    for (const word of [code, claim.passphrase, 'wrong words', secret]) {
      assert.ok(word.length > 5 && !server.output().includes(word), 'it stands in the log');
    }
    const audit = await cli(['audit', 'list', '--limit', '1000', '--json']);
    for (const word of [code, claim.passphrase, secret]) assert.ok(!audit.stdout.includes(word));
  });
});

test('every page forbids referrers, frames, scripts and copies, and names what it needs in words', async () => {
  const claim = await newClient();
  const pages = [
    await look(claim),
    await reveal(claim, 'wrong'),
    await reveal(claim),
    await look(claim),
    await look({ ...claim, url: `${claim.url}x` }),
    await act(claim, 'stop'),
  ];
  for (const { headers, text } of pages) {
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self';/);
    assert.match(policy, /frame-ancestors 'none'; base-uri 'none'$/);
    assert.match(text, /^<!DOCTYPE html>\n<html lang="en">/);
    assert.equal(text.match(/<h1>/g)?.length, 1);
    assert.doesNotMatch(text, /<script|<img|<link|<iframe|\son\w+=|style=|src=|href=/i);
    assert.doesNotMatch(text, /undefined|\[object/);
    // Every field has its label, and every tag its end.
    for (const [, id = ''] of text.matchAll(/<input id="(\w+)"/g)) {
      assert.ok(text.includes(`<label for="${id}">`), id);
    }
    for (const tag of ['html', 'head', 'body', 'main', 'form', 'p', 'dl', 'strong', 'code']) {
      const opened = text.match(new RegExp(`<${tag}[ >]`, 'g'))?.length ?? 0;
      assert.equal(text.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0, opened, tag);
    }
  }
  assert.ok(pages.some(({ text }) => text.includes('role="alert"')));
});
