/** The packed client and guard on each Node of the machine, Deno, Bun and an edge runtime, before the packed authority and a real API. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { start } from '../examples/banking-api/test-kit/process.ts';
import { judge } from './release/testing/judge.ts';
import { openPackedBank, type PackedBank } from './release/testing/packed-bank.ts';
import { runProgram, startWorker, whyWithout } from './release/testing/runtimes.ts';

let bank: PackedBank;
before(async () => {
  bank = await openPackedBank();
});
after(() => bank.stop());

/** Every other Node of the machine, one of a version. */
const nodes = new Map([[process.version, process.execPath]]);
for (const place of (process.env['PATH'] ?? '').split(delimiter)) {
  const node = join(place, 'node');
  if (!existsSync(node)) continue;
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const [, major] = /^v(\d+)\./.exec(version) ?? [];
  if (Number(major) >= 20 && !nodes.has(version)) nodes.set(version, node);
}

for (const [version, node] of nodes) {
  test(`the packed client keeps its promises on Node ${version}, before the packed guard on the same`, async () => {
    const partner = await bank.newPartner(node);
    const { clientSecret } = partner.settings;
    const file = bank.project.write('secret', `${clientSecret}\n`);
    const sources = [{ file }, { env: 'CLIENT_SECRET' }];
    const settings = { ...partner.settings, sources, missing: [{ env: 'NO_SUCH' }] };
    bank.project.write('settings.json', JSON.stringify(settings));
    const program = start([join(bank.project.folder, 'program.mjs')], {
      cwd: bank.project.folder,
      env: { CLIENT_SECRET: clientSecret },
      program: node,
    });
    await program.says(/^wrong .*/);
    await judge({ ...partner, settings }, program.lines);
  });
}

for (const name of ['deno', 'bun'] as const) {
  test(`the packed client keeps its promises in ${name}`, { skip: whyWithout(name) }, async () => {
    const partner = await bank.newPartner();
    const file = bank.project.write(`secret-${name}`, `${partner.settings.clientSecret}\n`);
    const sources = [{ file }, { env: 'CLIENT_SECRET' }];
    const settings = { ...partner.settings, sources, missing: [{ env: 'NO_SUCH' }] };
    const program = runProgram(name, bank.project, settings);
    await program.says(/^wrong .*/);
    await judge({ ...partner, settings }, program.lines);
  });
}

for (const node of [false, true]) {
  const kind = node ? "with Node's modules" : 'bare';
  test(`the packed client keeps its promises in a worker, ${kind}`, {
    skip: whyWithout('workerd'),
  }, async () => {
    const partner = await bank.newPartner();
    const file = bank.project.write('secret-worker', partner.settings.clientSecret);
    const env = { env: 'CLIENT_SECRET' };
    // A worker has no files of the machine; a variable only where it has Node's modules.
    const missing = node ? [{ file }] : [{ file }, env];
    const settings = { ...partner.settings, sources: node ? [env] : [], missing };
    const { running, url } = await startWorker(bank.project, partner, { settings, node });
    try {
      const answer = await fetch(`${url}/probe`);
      assert.equal(answer.status, 200, running.lines.join('\n'));
      await judge({ ...partner, settings }, [...running.lines, `wrong ${await answer.text()}`]);
    } finally {
      await running.stop('SIGKILL');
    }
  });
}

test('a token request that the runtime drops along with the call that it began in is made anew', {
  skip: whyWithout('workerd'),
}, async () => {
  const partner = await bank.newPartner();
  const { settings } = partner;
  const { running, url } = await startWorker(bank.project, partner, { settings, node: true });
  try {
    assert.equal(await (await fetch(`${url}/leave`)).text(), 'left');
    const together = Array.from({ length: 10 }, () => fetch(`${url}/call`));
    const answers = await Promise.all(together);
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 200),
      running.lines.join('\n'),
    );
  } finally {
    await running.stop('SIGKILL');
  }
});
