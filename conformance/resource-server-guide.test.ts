import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startAuthority } from './harness.ts';
import { declareScopes, newClient, newProgram, tokenOf } from './onboarding.ts';

const START_MS_MAX = 60_000;
const folder = new URL('../examples/quick-starts/', import.meta.url);
const guide = await readFile(new URL('../docs/guides/resource-server.md', import.meta.url), 'utf8');

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read']);
const program = await newProgram(authority);
const [own, partner, other] = await Promise.all([
  newClient(authority, program, { isResourceServer: true }),
  newClient(authority, program, { scope: 'accounts:read' }),
  newClient(authority, program),
]);
const [token, narrow] = await Promise.all([tokenOf(partner), tokenOf(other)]);

for (const name of ['fastify', 'express', 'hono', 'node']) {
  const file = `api-${name}.ts`;

  test(`${file} stands in the guide as it runs`, async () => {
    const [, code] = (await readFile(new URL(file, folder), 'utf8')).split(' */\n\n');
    assert.ok(guide.includes(`(../../examples/quick-starts/${file})`), 'the guide names the file');
    assert.ok(guide.includes(`\`\`\`ts\n${code}\`\`\`\n`), 'copy the file into the guide');
  });

  test(`${file} lets a good token in, and nobody else`, async () => {
    const { url, stop } = await run(file);
    const call = async (authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await fetch(`${url}/accounts`, { headers });
      return [answer.status, await answer.text()];
    };
    try {
      assert.deepEqual(await call(`Bearer ${token}`), [200, JSON.stringify({ of: program })]);
      for (const [status, authorization] of [
        [401, undefined],
        [401, `Bearer ${token}x`],
        [403, `Bearer ${narrow}`],
      ] as const) {
        const [told, body] = await call(authorization);
        assert.equal(told, status);
        assert.ok(!String(body).includes(program));
      }
    } finally {
      await stop();
    }
  });
}

/** Starts a quick start as its reader would, on a free port, and waits until it listens. */
async function run(file: string) {
  const port = await freePort();
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, folder))], {
    env: {
      PATH: process.env['PATH'],
      ISSUER: authority.issuer(),
      CLIENT_ID: own.client_id,
      CLIENT_SECRET: own.client_secret,
      PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const url = `http://localhost:${port}`;
  const deadline = performance.now() + START_MS_MAX;
  while ((await fetch(url).catch(() => undefined)) === undefined) {
    assert.equal(child.exitCode, null, `${file} ended`);
    assert.ok(performance.now() < deadline, `${file} does not listen`);
    await sleep(50);
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
