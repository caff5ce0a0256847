import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startAuthority } from './harness.ts';
import { newProgram } from './onboarding.ts';

/** Text that breaks out of pages, tables and logs where it is not kept in its place. */
const HOSTILE = `"><script>alert(1)</script><b onclick='x'>=cmd|' /C calc'!A0 &amp;`;
/** Reading order reversed, a line break, an escape of terminals, a tab. */
const UNPRINTABLE = ['a\u202eb', 'a\nb', 'a\r\nb', 'a\u001b[31mb', 'a\tb', 'a\u2028b'];
const DAY_MS = 24 * 60 * 60 * 1000;

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);

async function newClaim(name = 'server') {
  const where = ['--program', program, '--environment', 'sandbox', '--name', name];
  const made = await authority.cli('client', 'create', ...where, '--claim');
  return {
    clientId: String(made['client_id']),
    url: String(made['claim_url']),
    passphrase: String(made['claim_passphrase']),
    printed: JSON.stringify(made),
  };
}

function press(url: string, passphrase: string): Promise<Response> {
  const body = new URLSearchParams({ action: 'reveal', passphrase });
  return fetch(url, { method: 'POST', body });
}

const SECRET = /secret_test_[0-9A-Za-z]{49}/;

test('L-01: a secret is shown once, in an answer that nobody keeps, and nothing shows it again', async () => {
  const claim = await newClaim();
  assert.doesNotMatch(claim.printed, SECRET);
  const shown = await press(claim.url, claim.passphrase);
  assert.equal(shown.headers.get('cache-control'), 'no-store');
  assert.equal(shown.headers.get('referrer-policy'), 'no-referrer');
  const [secret = ''] = SECRET.exec(await shown.text()) ?? [];
  assert.notEqual(secret, '');
  const later = [
    // Reload, and back to the page before it.
    await press(claim.url, claim.passphrase).then((reply) => reply.text()),
    await fetch(claim.url).then((reply) => reply.text()),
    ...(await Promise.all(
      [
        ['client', 'show', claim.clientId],
        ['secret', 'list', claim.clientId],
        ['claim', 'list'],
        ['audit', 'list', '--limit', '1000'],
      ].map(async (words) => (await authority.command(...words, '--json')).stdout),
    )),
    authority.written(),
  ];
  for (const text of later) {
    assert.ok(text.length > 0);
    assert.ok(!text.includes(secret));
    assert.ok(!text.includes(claim.passphrase));
  }
});

test('L-03: a third live secret is refused, and the refusal names what to end', async () => {
  const claim = await newClaim();
  await press(claim.url, claim.passphrase);
  const second = await authority.cli('secret', 'rotate', claim.clientId);
  for (const words of [['create'], ['rotate'], ['create', '--claim'], ['rotate', '--claim']]) {
    const [verb = '', ...options] = words;
    const refused = await authority.command('secret', verb, claim.clientId, ...options);
    assert.equal(refused.code, 1, words.join(' '));
    assert.ok(refused.stderr.includes(String(second['secret_id'])), refused.stderr);
  }
  const rotated = await authority.command('secret', 'rotate', claim.clientId, '--overlap', '0s');
  assert.equal(rotated.code, 0, rotated.stderr);
});

test('L-12: a name is text wherever it is shown, and one that could forge a line is refused', async () => {
  const claim = await newClaim(HOSTILE);
  const pages = [
    await fetch(claim.url).then((reply) => reply.text()),
    await fetch(claim.url, { method: 'POST' }).then((reply) => reply.text()),
    await press(claim.url, claim.passphrase).then((reply) => reply.text()),
    await fetch(claim.url).then((reply) => reply.text()),
  ];
  for (const page of pages) assert.doesNotMatch(page, /<script|<b |onclick='|"><b/i);
  assert.ok(pages[0]?.includes('&lt;script&gt;alert(1)&lt;/script&gt;'), 'it is shown, as text');
  assert.ok(pages[0]?.includes('<bdi>'), 'its reading order stays within it');
  for (const name of UNPRINTABLE) {
    const where = ['--program', program, '--environment', 'sandbox', '--name', name];
    assert.equal((await authority.command('client', 'create', ...where)).code, 1);
    const named = await authority.command('secret', 'rotate', claim.clientId, '--name', name);
    assert.equal(named.code, 1);
  }
});

test('L-17: the end of a secret is shown ahead of time, can be moved, and past ends are no choice', async () => {
  const claim = await newClaim();
  const made = await authority.cli('secret', 'create', claim.clientId, '--expires', '20d');
  const id = String(made['secret_id']);
  const end = async () => {
    const secrets = await authority.list('secret', 'list', claim.clientId);
    return Date.parse(String(secrets.find((one) => one['secret_id'] === id)?.['expires_at']));
  };
  assert.ok(Math.abs((await end()) - Date.now() - 20 * DAY_MS) < DAY_MS);
  await authority.cli('secret', 'expire', id, '--at', '90d');
  assert.ok(Math.abs((await end()) - Date.now() - 90 * DAY_MS) < DAY_MS);
  const past = await authority.command('secret', 'expire', id, '--at', '2020-01-01');
  assert.equal(past.code, 1);
  assert.match(past.stderr, /secret revoke/);
});
