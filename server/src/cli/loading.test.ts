import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../testing/command-line.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Tells on stderr of each module that is loaded. */
const TELLER = `import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => { process.stderr.write(url + '\\n'); return next(url, context); } });`;

async function modulesLoadedBy(...argv: readonly string[]): Promise<readonly string[]> {
  const teller = `data:text/javascript,${encodeURIComponent(TELLER)}`;
  const args = ['--import', teller, MAIN, ...argv];
  const { code, stderr } = await runProgram(process.execPath, args);
  assert.equal(code, 0, stderr);
  return stderr.split('\n').map((url) => url.slice(url.lastIndexOf('/') + 1));
}

test('a node loads no other command than its own, nor what opens a store for operators; another command does', async () => {
  const ofServe = await modulesLoadedBy('serve', '--help');
  assert.ok(ofServe.includes('serve.ts'));
  assert.deepEqual(
    ofServe.filter((file) => ['client.ts', 'commands.ts', 'operator.ts'].includes(file)),
    [],
  );
  const ofAnother = await modulesLoadedBy('client', '--help');
  assert.ok(ofAnother.includes('client.ts') && ofAnother.includes('commands.ts'));
});
