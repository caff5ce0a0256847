import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { staleness } from './setup.mjs';

const folder = mkdtempSync(join(tmpdir(), 'run-'));
after(() => rmSync(folder, { recursive: true }));

const bin = fileURLToPath(new URL('../server/bin', import.meta.url));
const windows = process.platform === 'win32' && 'signals are a Unix thing';

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const launcher = file(
  'launcher.mjs',
  `import { launch } from ${JSON.stringify(join(bin, 'launch.mjs'))};
   launch(process.execPath, process.argv.slice(2));`,
);

/** Starts `script` through the launcher, in a process group as a terminal makes one. */
const start = (script: string): { child: ChildProcess; output: () => string } => {
  const child = spawn(process.execPath, [launcher, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return { child, output: () => text };
};

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(5);
};

/** Counts what it is sent, and ends with 40 + count a moment after the first, so that a second would be counted. */
const counting = file(
  'counting.mjs',
  `let count = 0;
   for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
     if (count++ === 0) setTimeout(() => process.exit(40 + count), 200);
   });
   setInterval(() => {}, 1000);
   console.log('up');`,
);

describe('a launched program', { skip: windows, timeout: 20_000 }, () => {
  it('gets a Ctrl-C, which goes to the whole process group, exactly once', async () => {
    const { child, output } = start(counting);
    await until(() => output().includes('up'));
    process.kill(-(child.pid ?? 0), 'SIGINT');
    assert.deepEqual(await once(child, 'exit'), [41, null]);
  });

  it('gets a signal that was sent to the launcher alone exactly once, and passes on its exit code', async () => {
    const { child, output } = start(counting);
    await until(() => output().includes('up'));
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [41, null]);
  });

  // Both end only when everyone who holds our end of the output has: `close` comes after `exit`.
  it('that dies of a signal lets the launcher die of it too, and leaves nothing running', async () => {
    const family = file(
      'family.mjs',
      `import { spawn } from 'node:child_process';
       const idle = ['-e', 'setInterval(() => {}, 1000); console.log("up")'];
       spawn(process.execPath, idle, { stdio: 'inherit' });`,
    );
    const { child, output } = start(family);
    await until(() => output().includes('up'));
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [null, 'SIGTERM']);
  });

  it('does not outlive a launcher that is killed outright', async () => {
    const { child, output } = start(counting);
    await until(() => output().includes('up'));
    child.kill('SIGKILL');
    assert.deepEqual(await once(child, 'close'), [null, 'SIGKILL']);
  });
});

/** A Node of the machine that is too old for the project, if there is one. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (path) => existsSync(path) && path !== process.execPath,
);
const noOldNode = oldNode === undefined && 'this machine has no second Node';

describe('the countersign command', () => {
  it('says in one line what to do where only an old Node is', { skip: noOldNode }, async (t) => {
    const version = spawn(oldNode ?? '', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [text] = await once(version.stdout, 'data');
    if (!String(text).startsWith('v20.')) return t.skip('the second Node is not an old one');
    cpSync(bin, join(folder, 'bin'), { recursive: true });
    const child = spawn(oldNode ?? '', [join(folder, 'bin', 'countersign.mjs'), '--help'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
    assert.match(said, /^countersign needs Node 24 or newer, and this is v20\..*npm install.*\n$/);
  });
});

/** Runs the command in a checkout that says where it keeps what was compiled. */
const compiledIn = async (checkout: string): Promise<string> => {
  const { NODE_COMPILE_CACHE: _ours, ...env } = process.env;
  const child = spawn(process.execPath, [join(checkout, 'server', 'bin', 'countersign.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  return String(Buffer.concat(await child.stdout.toArray()));
};

test('the command keeps what it compiles of a checkout beside the code, for its threads too, and nothing of what is installed', async () => {
  const checkout = join(folder, 'checkout');
  const server = join(checkout, 'server');
  const says = `import { getCompileCacheDir } from 'node:module';
    console.log(getCompileCacheDir() ?? 'nowhere', process.env['NODE_COMPILE_CACHE'] ?? 'nowhere');`;
  cpSync(bin, join(server, 'bin'), { recursive: true });
  mkdirSync(join(server, 'src'));
  writeFileSync(join(server, 'package.json'), '{"type":"module"}');
  writeFileSync(join(server, 'src', 'main.ts'), says);
  const kept = join(checkout, 'node_modules', '.cache', 'countersign');
  const [compiled = '', forThreads] = (await compiledIn(checkout)).trim().split(' ');
  assert.ok(compiled.startsWith(kept), compiled);
  assert.equal(forThreads, kept);

  // As it is published: no sources, and the command names what was made of them.
  rmSync(join(server, 'src'), { recursive: true });
  mkdirSync(join(server, 'dist'));
  writeFileSync(join(server, 'dist', 'main.js'), says);
  const command = join(server, 'bin', 'countersign.mjs');
  const text = readFileSync(command, 'utf8');
  writeFileSync(command, text.replace('../src/main.ts', '../dist/main.js'));
  assert.equal((await compiledIn(checkout)).trim(), 'nowhere nowhere');
});

describe('what is installed', () => {
  const locked = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/here': {
      version: '1.0.0',
      optional: true,
      os: [process.platform],
      cpu: [process.arch],
    },
    'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['plan9'], cpu: ['mips'] },
  };
  const { '': _root, 'node_modules/elsewhere': _elsewhere, ...installed } = locked;

  it('is enough when it is the lock less what other machines need', () => {
    assert.equal(staleness(locked, installed), undefined);
  });

  it('is not enough when nothing, another version, another content or a package of this machine is missing', () => {
    const a = installed['node_modules/a'];
    const { 'node_modules/here': _here, ...without } = installed;
    assert.match(staleness(locked, {}) ?? '', /nothing is installed/);
    assert.match(staleness(locked, without) ?? '', /node_modules\/here/);
    for (const other of [
      { ...a, version: '1.0.1' },
      { ...a, integrity: 'sha512-b' },
    ]) {
      assert.match(
        staleness(locked, { ...installed, 'node_modules/a': other }) ?? '',
        /node_modules\/a/,
      );
    }
    assert.match(staleness(locked, { ...installed, 'node_modules/b': a }) ?? '', /node_modules\/b/);
  });
});

/** Runs the test files in `folder` that match, in a process of its own, as a runner inside a runner does nothing. */
const outcomeOf = async (pattern: string): Promise<unknown> => {
  const script = file(
    'tests.mjs',
    `import { runTests } from ${JSON.stringify(new URL('./run-tests.ts', import.meta.url).href)};
     const options = { root: ${JSON.stringify(folder)}, patterns: [process.argv[2]], timeoutMs: 10_000 };
     process.stderr.write(JSON.stringify(await runTests(options)));`,
  );
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(process.execPath, [script, pattern], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  const said = await child.stderr.toArray();
  return JSON.parse(Buffer.concat(said).toString());
};

describe('a test run', () => {
  const header = "import { test } from 'node:test';\n";

  it('passes when every file ran a test and none failed', async () => {
    file('good.test.ts', `${header}test('a', () => {});`);
    assert.deepEqual(await outcomeOf('good.test.ts'), { passed: true, complaints: [] });
  });

  it('fails when a test fails', async () => {
    file('bad.test.ts', `${header}test('a', () => { throw new Error('b'); });`);
    assert.deepEqual(await outcomeOf('bad.test.ts'), { passed: false, complaints: [] });
  });

  it('fails when no file matches, and when a file holds no test', async () => {
    const none = await outcomeOf('nowhere/*.test.ts');
    assert.deepEqual(none, {
      passed: false,
      complaints: ['no test file matches nowhere/*.test.ts'],
    });
    const empty = file('empty.test.ts', 'export {};');
    const idle = { passed: false, complaints: [`${empty} holds no test`] };
    assert.deepEqual(await outcomeOf('empty.test.ts'), idle);
  });
});
