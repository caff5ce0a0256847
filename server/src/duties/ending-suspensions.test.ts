import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suspendProgram } from '../operations/suspend-program.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, introspect, onboard, requestToken } from '../testing/onboarding.ts';
import { startServer } from '../testing/running-server.ts';

const WAIT_MS_MAX = 30_000;

test('an end that came while no server ran is carried out by one of two that start, once, and revives no token', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const [client, asker] = [
      await onboard(context),
      await onboard(context, { resourceServer: true }),
    ];
    const before = await startServer(data);
    const token = (await requestToken(before.url, client)) ?? '';
    const untilMs = context.clock.wallMs() + 500;
    await suspendProgram(context, { programId: client.programId, reason: 'maintenance', untilMs });
    assert.equal(await before.stop(), 0);
    const servers = await Promise.all([startServer(data), startServer(data)]);
    try {
      const deadlineMs = performance.now() + WAIT_MS_MAX;
      const tokens = (): Promise<(string | undefined)[]> =>
        Promise.all(servers.map(({ url }) => requestToken(url, client)));
      let fresh = await tokens();
      while (fresh.includes(undefined) && performance.now() < deadlineMs) {
        await context.clock.sleep(50);
        fresh = await tokens();
      }
      for (const [index, { url }] of servers.entries()) {
        assert.equal(await introspect(url, asker, fresh[index] ?? ''), 'active');
        assert.equal(await introspect(url, asker, token), 'inactive');
      }
      const lines = await context.audit.lines({ action: 'suspension.end', limit: 9 });
      assert.deepEqual(
        lines.map(({ actor, target }) => [actor, target]),
        [['system:end-suspensions', client.programId]],
      );
      assert.ok((lines[0]?.atMs ?? 0) >= untilMs);
    } finally {
      for (const server of servers) await server.stop();
    }
  });
});
