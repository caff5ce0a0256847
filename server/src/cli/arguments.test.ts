import assert from 'node:assert/strict';
import test from 'node:test';
import { parseArguments, selectCommand } from './arguments.ts';
import { UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOn } from './help.ts';
import { nearest } from './nearest.ts';

function parse(...argv: readonly string[]) {
  const { commands, rest } = selectCommand(COMMANDS, argv);
  assert.equal(commands.length, 1);
  return parseArguments(commands[0]!, rest);
}

function complaint(...argv: readonly string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return assert.fail(`${argv.join(' ')} was accepted`);
}

test('a line is read wherever its options stand', () => {
  const lines = [
    ['program', 'suspend', 'program_x', '--reason', 'why not', '--data', '/d', '--json'],
    ['--data=/d', '--json', 'program', 'suspend', '--reason=why not', 'program_x'],
    ['program', '--data', '/d', 'suspend', 'program_x', '--json', '--reason', 'why not'],
  ];
  for (const line of lines) {
    const { args, flags } = parse(...line);
    assert.equal(args.positional('ID'), 'program_x');
    assert.equal(args.required('reason'), 'why not');
    assert.equal(args.flag('json'), true);
    assert.equal(flags['data'], '/d');
  }
});

test('what may be repeated is a list, and nothing else may be repeated', () => {
  const create = ['client', 'create', '--program', 'p', '--environment', 'e', '--name', 'n'];
  const { args } = parse(...create, '--allow-ip', '10.0.0.1', '--allow-ip', '::1');
  assert.deepEqual(args.list('allow-ip'), ['10.0.0.1', '::1']);
  assert.deepEqual(args.list('resource'), []);
  assert.match(complaint(...create, '--name', 'm'), /--name is given twice/);
  assert.deepEqual(parse('serve', '--trusted-proxy', '10.0.0.1').flags['trusted-proxy'], [
    '10.0.0.1',
  ]);
});

test('wrong usage says what is wrong, and what may have been meant', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['program', 'creat', 'x'], /no command "program creat"; did you mean "program create"\?/],
    [['clent', 'list'], /no command "clent"; did you mean "client"\?/],
    [['xyzzy'], /^there is no command "xyzzy"$/],
    [['program', 'create'], /^NAME is missing$/],
    [['program', 'create', 'Two', 'Words'], /1 argument too many/],
    [['program', 'suspend', 'p'], /^--reason TEXT is missing$/],
    [['program', 'suspend', 'p', '--raeson', 'x'], /no option --raeson; did you mean --reason\?/],
    [['program', 'suspend', 'p', '--reason'], /--reason/],
    [['program', 'list', '--json=yes'], /--json/],
    [['nodes', '--verbose'], /^there is no option --verbose$/],
    [['receipt'], /^N is missing$/],
  ];
  for (const [argv, expected] of cases) assert.match(complaint(...argv), expected);
});

test('a secret or token in the wrong place is not repeated', () => {
  const secret = `secret_test_${'S'.repeat(49)}`;
  for (const line of [
    [secret],
    ['client', secret],
    ['program', 'list', secret],
    ['program', 'create', 'a', secret],
    ['nodes', `--${secret}`],
    ['nodes', `--token=${secret}`],
  ]) {
    assert.ok(!complaint(...line).includes(secret), line.join(' '));
  }
});

test('a lone dash is a positional, and what follows -- is never an option', () => {
  assert.equal(parse('token', 'inspect', '-').args.positional('TOKEN'), '-');
  assert.equal(parse('program', 'create', '--', '--odd').args.positional('NAME'), '--odd');
});

test('every command has help with its usage, each of its options and an example of itself', () => {
  for (const command of COMMANDS) {
    const help = helpOn([command], command.path);
    const name = ['countersign', ...command.path].join(' ');
    assert.ok(help.includes(`${name}`), name);
    for (const option of command.options ?? []) assert.ok(help.includes(`--${option.name}`), name);
    assert.ok(command.examples.length > 0, name);
    for (const example of command.examples) assert.ok(example.startsWith(name), example);
  }
});

test('every example of the help is a line that its command accepts', () => {
  for (const command of COMMANDS) {
    for (const example of command.examples) {
      const [line = ''] = example.split(/ [<>|] /);
      const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)];
      const argv = words.map(([, single, double, bare]) => single ?? double ?? bare ?? '').slice(1);
      assert.doesNotThrow(() => parse(...argv), example);
    }
  }
});

test('help is asked for before, after and without a command', () => {
  const asked: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['help', 'client', 'create'],
      ['client', 'create'],
    ],
    [
      ['client', 'create', '--help'],
      ['client', 'create'],
    ],
    [['client', '-h'], ['client']],
    [['--help'], []],
    [['help'], []],
  ];
  for (const [argv, path] of asked) {
    const selected = selectCommand(COMMANDS, argv);
    assert.equal(selected.wantsHelp, true);
    assert.deepEqual(selected.path, path);
  }
  const overview = helpOn(COMMANDS, []);
  for (const { path } of COMMANDS) assert.ok(overview.includes(`countersign ${path.join(' ')}`));
});

test('only what is near is suggested', () => {
  const words = ['create', 'list', 'show', 'suspend'];
  assert.equal(nearest('craete', words), 'create');
  assert.equal(nearest('susp', words), 'suspend');
  assert.equal(nearest('x', words), undefined);
  assert.equal(nearest('delete', words), undefined);
});
