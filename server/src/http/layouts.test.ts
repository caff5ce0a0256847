import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { newDataDirectory } from '../testing/data.ts';
import { startServer } from '../testing/running-server.ts';

/** Asks a server some times, collects while nobody asks, and prints whether what comes then still has a layout. */
const ASKED = `
  import { createServer, request } from 'node:http';
  const [, layouts, times] = process.argv;
  if (layouts !== '') (await import(layouts)).settleLayouts();
  const hasLayout = new Function('object', 'return %HasFastProperties(object)');
  const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
  let found;
  const server = createServer((incoming, response) => {
    found = [incoming, response, incoming.socket].every(hasLayout);
    incoming.resume().on('end', () => response.end('fine'));
  }).listen(0, '127.0.0.1', async () => {
    const ask = () => new Promise((resolve) => {
      const { port } = server.address();
      request({ port, agent: false }, (answer) => answer.resume().on('end', resolve)).end();
    });
    for (let time = 0; time < Number(times); time += 1) await ask();
    await turn();
    gc();
    await turn();
    gc();
    for (let time = 0; time < 3; time += 1) await ask();
    console.log(found);
    server.close();
  });`;

/** After how many requests a collection costs the layout. */
async function losingTimes(layouts: string): Promise<readonly number[]> {
  const losing: number[] = [];
  for (let times = 1; times <= 8; times += 1) {
    const args = ['--expose-gc', '--allow-natives-syntax', '--input-type=module', '--eval', ASKED];
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...args,
      layouts,
      String(times),
    ]);
    if (stdout.trim() !== 'true') losing.push(times);
  }
  return losing;
}

test('requests, answers and sockets keep their layout through a collection, whenever it comes; they would not by themselves', async () => {
  assert.deepEqual(await losingTimes(new URL('./layouts.ts', import.meta.url).href), []);
  assert.notDeepEqual(await losingTimes(''), []);
});

/** Writes down whom each request of a process is for. */
const TELLER = `import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
subscribe('http.server.request.start', ({ request }) => appendFileSync(process.env.HOSTS_FILE, request.headers.host + '\\n'));`;

test('the first exchanges of a node that serves are its own', async (t) => {
  const hosts = join(newDataDirectory(), 'hosts');
  const teller = `data:text/javascript,${encodeURIComponent(TELLER)}`;
  const server = await startServer(newDataDirectory(), {
    env: { NODE_OPTIONS: `--import=${teller}`, HOSTS_FILE: hosts },
  });
  t.after(() => server.stop());
  const [first, ...others] = readFileSync(hosts, 'utf8').trim().split('\n');
  assert.equal(first, 'localhost');
  // Those of whoever waited until it was ready.
  assert.ok(others.includes(new URL(server.url).host));
});
