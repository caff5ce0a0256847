import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** What Node's WebSocket client is called in the list of what a process has loaded. */
const CLIENT = 'undici';

function loadsClient(module: string): boolean {
  const source = `await import(${JSON.stringify(module)});
    console.log(process.moduleLoadList.some((name) => name.includes('${CLIENT}')));`;
  const args = ['--input-type=module', '--eval', source];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim() === 'true';
}

test('a listener loads no WebSocket client; by an import of node:http it would', () => {
  assert.equal(loadsClient(new URL('./listener.ts', import.meta.url).href), false);
  assert.equal(loadsClient('node:http'), true);
});

test('nor does a node that serves', () => {
  assert.equal(loadsClient(new URL('../run-node.ts', import.meta.url).href), false);
});
