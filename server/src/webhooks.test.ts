import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { commandLine } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import { startServer } from './testing/running-server.ts';
import { startReceiver } from './testing/webhook-receiver.ts';

const WAIT_MS_MAX = 20_000;

test('a running server sends the notice of a suspension, signed, also with a secret from before a rewrap; doctor finds all well', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const receiver = await startReceiver();
  const { program_id: program } = await cli.json('program', 'create', 'Leaky');
  const made = await cli.json('webhook', 'create', receiver.url, '--for', 'notices');
  const file = join(newDataDirectory(), 'next.key');
  await cli.json('keys', 'rewrap', '--new-master-key-file', file);
  const env = { COUNTERSIGN_MASTER_KEY_FILE: file };
  const server = await startServer(data, { env });
  try {
    const again = commandLine(data, env);
    const reason = 'pushed to a public repository';
    const receipt = await again.json('program', 'suspend', String(program), '--reason', reason);
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    while (receiver.heard.length === 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [heard] = receiver.heard;
    assert.ok(heard, server.output());
    const verifier = new Verifier(String(made['secret']));
    const notice = verifier.verify(heard.body, heard.headers as Record<string, string>);
    const { type, data: told } = notice as { type: string; data: Record<string, unknown> };
    assert.deepEqual(
      [type, told['program'], told['reason'], told['receipt']],
      ['suspended', program, reason, receipt['sequence']],
    );
    const list = (await again.json('webhook', 'list')) as unknown as readonly Record<
      string,
      unknown
    >[];
    assert.equal(list[0]?.['disabled'], false);
    const { checks } = (await again.json('doctor')) as {
      checks: readonly Record<string, unknown>[];
    };
    for (const name of ['duties', 'webhooks']) {
      assert.equal(checks.find((check) => check['name'] === name)?.['ok'], true);
    }
    assert.equal(server.output().includes(String(made['secret']).slice(6)), false);
  } finally {
    await server.stop();
    await receiver.close();
  }
});
