import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { revokeSecret } from './operations/revoke-secret.ts';
import { commandLine } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from './testing/onboarding.ts';
import { startServer } from './testing/running-server.ts';

const LOOKS_MAX = 200;

test('during an overlap the use of the old secret is visible, and killing its tokens ends no others', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const [old, asker] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context, { resourceServer: true }),
  ]);
  assert.ok(old && asker);
  const server = await startServer(data);
  try {
    const rotated = await cli.json('secret', 'rotate', old.clientId, '--name', 'new hosts');
    const young: Onboarded = {
      ...old,
      clientSecret: String(rotated['client_secret']),
      secretId: String(rotated['secret_id']),
    };
    const tokens = {
      old: (await requestToken(server.url, old)) ?? assert.fail('the overlap has begun'),
      young: (await requestToken(server.url, young)) ?? assert.fail('the new secret works'),
    };

    const shown = await eventually(async () => {
      const { stdout } = await cli(['client', 'show', old.clientId]);
      return stdout.includes('still used') ? stdout : undefined;
    });
    const told = `${old.secretId} has a successor and is still used by 127.0.0.1 at `;
    assert.ok(shown.includes(told), shown);
    assert.match(shown, /it ends in 23 h\./);
    assert.match(shown, /new hosts/);

    await asOperator(data, (context) =>
      revokeSecret(context, { secretId: old.secretId, killTokens: true }),
    );
    assert.equal(await introspect(server.url, asker, tokens.old), 'inactive');
    assert.equal(await introspect(server.url, asker, tokens.young), 'active');
    assert.equal(await requestToken(server.url, old), undefined);
    assert.ok(await requestToken(server.url, young));
  } finally {
    assert.equal(await server.stop(), 0);
  }
  // What the server was told last is written as it stops.
  const secrets = (await cli.json('secret', 'list', old.clientId)) as unknown as {
    secret_id: string;
    last_used_from: string;
  }[];
  assert.ok(secrets.every((secret) => secret.last_used_from === '127.0.0.1'));
});

test('an overlap is extended, cut short and cancelled by moving the end of the old secret', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const { clientId, secretId } = await asOperator(data, onboard);
  await cli.json('secret', 'rotate', clientId, '--overlap', '2h');
  const endsInMs = async () => {
    const [first] = (await cli.json('secret', 'list', clientId)) as unknown as {
      expires_at?: string;
    }[];
    return first?.expires_at === undefined ? undefined : Date.parse(first.expires_at) - Date.now();
  };
  const around = (ms: number | undefined, hours: number) => {
    assert.ok(ms !== undefined && Math.abs(ms - hours * 3_600_000) < 600_000, `${ms}`);
  };
  around(await endsInMs(), 2);
  await cli.json('secret', 'expire', secretId, '--at', '48h');
  around(await endsInMs(), 48);
  await cli.json('secret', 'expire', secretId, '--at', '1h');
  around(await endsInMs(), 1);
  const cancelled = await cli.json('secret', 'expire', secretId, '--never');
  assert.equal(cancelled['changed'], true);
  assert.equal(await endsInMs(), undefined);

  const past = await cli(['secret', 'expire', secretId, '--at', '2020-01-01']);
  assert.equal(past.code, 1);
  assert.match(past.stderr, /secret revoke/);
  for (const wrong of [[], ['--at', '1h', '--never']]) {
    assert.equal((await cli(['secret', 'expire', secretId, ...wrong])).code, 2);
  }
});

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await pause(50);
  }
  return assert.fail('it never came');
}
