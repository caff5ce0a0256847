import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOperator } from '../operations/operators.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, introspect, onboard, post, requestToken } from '../testing/onboarding.ts';
import { startServer } from '../testing/running-server.ts';

/** So long that a slow machine does not write off the node that is silent. */
const LEASE = { COUNTERSIGN_LEASE_MS: '600000' };
/** Each is answered within five seconds. */
const ASKS_MAX = 20;

type Body = Record<string, unknown> & { complete?: boolean; waiting?: string[] };

test('while a node is silent a change is accepted and not done; asked again, its receipt is complete', async () => {
  const data = newDataDirectory();
  const first = await startServer(data, { env: LEASE });
  const silent = await startServer(data, { env: LEASE }).catch(async (error: unknown) => {
    await first.stop();
    throw error;
  });
  try {
    const { client, operator } = await asOperator(data, async (context) => ({
      client: await onboard(context, { resourceServer: true }),
      operator: await createOperator(context, { name: 'Desk', role: 'support' }),
    }));
    const granted = await post(`${first.adminUrl}/admin/token`, {
      grant_type: 'client_credentials',
      client_id: operator.clientId,
      client_secret: operator.clientSecret.reveal(),
    });
    const { access_token } = (await granted.json()) as { access_token: string };
    const headers = {
      Authorization: `Bearer ${access_token}`,
      'Content-Type': 'application/json',
    };
    const ask = async (path: string, body?: object) => {
      const method = body === undefined ? 'GET' : 'POST';
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await fetch(`${first.adminUrl}${path}`, { method, headers, ...sent });
      return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Body };
    };
    const token = (await requestToken(first.url, client)) ?? '';
    silent.process.kill('SIGSTOP');
    const suspend = `/admin/v1/programs/${client.programId}/suspend`;
    const accepted = await ask(suspend, { reason: 'leak' });
    const { sequence, complete, waiting } = accepted.body;
    assert.deepEqual([accepted.status, complete, waiting?.length], [202, false, 1]);
    const location = accepted.headers.get('location') ?? '';
    assert.equal(location, `/admin/v1/receipts/${sequence}`);
    assert.equal((await ask(location)).status, 202, 'it is not yet');
    silent.process.kill('SIGCONT');
    let receipt = await ask(location);
    // A machine under load may take its time to wake a process.
    for (let asked = 1; receipt.status === 202 && asked < ASKS_MAX; asked += 1) {
      receipt = await ask(location);
    }
    assert.deepEqual([receipt.status, receipt.body.complete], [200, true]);
    assert.equal((receipt.body['confirmed'] as unknown[]).length, 2);
    assert.notEqual(await introspect(silent.url, client, token), 'active');
  } finally {
    silent.process.kill('SIGCONT');
    await Promise.all([first.stop(), silent.stop()]);
  }
});
