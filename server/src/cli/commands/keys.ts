/** The commands of root keys. */

import { invalid, parseWhole } from '../../operations/input.ts';
import { type ListedKey, listKeys } from '../../operations/list-keys.ts';
import { retireKey, retireLeakedKey } from '../../operations/retire-key.ts';
import { rotateKey } from '../../operations/rotate-key.ts';
import type { KeyPurpose } from '../../ports/model.ts';
import {
  type Arguments,
  type Command,
  type Output,
  type StoreCall,
  UsageError,
} from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';
import { REWRAP_COMMAND } from './rewrap.ts';

const RETIRE = ['keys', 'retire'];
const ENVIRONMENT = {
  name: 'environment',
  value: 'ENV',
  required: true,
  doc: 'Environment whose key it is.',
} as const;
const PURPOSE = {
  name: 'purpose',
  value: 'token|secret',
  doc: 'What the key is for: sealing tokens (default), or hashing client secrets.',
};

async function listAll({ context }: StoreCall): Promise<Output> {
  const keys = await listKeys(context);
  const rows = keys.map((key) => [
    key.environment,
    key.purpose,
    String(key.version),
    stateText(key),
    timeText(key.createdAtMs) ?? '',
    key.liveSecrets === undefined ? '' : String(key.liveSecrets),
  ]);
  return {
    document: documentOf(keys),
    text: list(
      ['ENVIRONMENT', 'PURPOSE', 'VERSION', 'STATE', 'CREATED', 'LIVE SECRETS'],
      rows,
      'There is no key.',
    ),
  };
}

async function rotate({ context, args }: StoreCall): Promise<Output> {
  const purpose = purposeOf(args);
  const environment = args.required('environment');
  const { version, ...done } = await rotateKey(context, { environment, purpose });
  return changeOutput(done, {
    members: { environment, purpose, version },
    words:
      purpose === 'token'
        ? `Rotated: new tokens are sealed with version ${version}; those that there are live on.`
        : `Rotated: secrets are hashed with version ${version}, each from its next use on.`,
  });
}

async function retire({ context, args }: StoreCall): Promise<Output> {
  const key = {
    environment: args.required('environment'),
    purpose: purposeOf(args),
    version: parseWhole('--version', args.required('version'), { min: 1, max: 65_535 }),
  };
  if (args.flag('emergency')) return await retireLeaked(context, args, key);
  if (args.option('reason') !== undefined) {
    throw new UsageError('--reason goes with --emergency', RETIRE);
  }
  const done = await retireKey(context, key);
  return changeOutput(done, {
    members: key,
    words: `Retired: version ${key.version} opens nothing any more.`,
    already: 'Was retired already; this is the receipt of that.',
  });
}

async function retireLeaked(
  context: StoreCall['context'],
  args: Arguments,
  key: { environment: string; purpose: KeyPurpose; version: number },
): Promise<Output> {
  const reason = args.option('reason');
  if (reason === undefined) throw new UsageError('--emergency needs a --reason TEXT', RETIRE);
  const { environment, purpose, version } = key;
  if (purpose === 'secret') {
    throw invalid(
      '--emergency is for token keys: a pepper opens nothing by itself; rotate it, then the secrets under it',
    );
  }
  const done = await retireLeakedKey(context, { environment, version, reason });
  return changeOutput(done, {
    members: { ...key, ...(done.changed ? { newVersion: done.version } : {}) },
    words:
      `Retired, and every other token key before version ${done.version}: ` +
      `no token of ${environment} from before is accepted any more.`,
    already: 'Was retired already; this is the receipt of that.',
  });
}

function purposeOf(args: Arguments): KeyPurpose {
  const purpose = args.option('purpose') ?? 'token';
  if (purpose === 'token' || purpose === 'secret') return purpose;
  throw invalid('--purpose must be token or secret');
}

function stateText({ state, retirableAtMs, retiredAtMs }: ListedKey): string {
  if (state === 'retired') return `retired ${timeText(retiredAtMs)}`;
  if (state === 'unused') return 'unused: may be retired';
  if (state === 'newest' || retirableAtMs === undefined) return state;
  return `opens tokens until ${timeText(retirableAtMs)}`;
}

export const KEY_COMMANDS: readonly Command[] = [
  {
    path: ['keys', 'list'],
    summary: 'List the root keys and what still needs each of them.',
    about:
      'token: seals access tokens. secret: the pepper, under which client secrets are hashed. No key is ever shown.',
    examples: ['countersign keys list'],
    run: listAll,
  },
  {
    path: ['keys', 'rotate'],
    summary: 'Add the next version of a key; nothing that is alive is touched.',
    options: [ENVIRONMENT, PURPOSE],
    examples: [
      'countersign keys rotate --environment production',
      'countersign keys rotate --environment production --purpose secret',
    ],
    changes: true,
    run: rotate,
  },
  {
    path: RETIRE,
    summary: 'End a key that nothing needs; or, in an emergency, every token of an environment.',
    about:
      'Refused while a live token or a live secret may need the key. With --emergency every token key there is gives way to a\n' +
      'new one: once the receipt is printed no token from before is accepted anywhere. Client secrets go on working.',
    options: [
      ENVIRONMENT,
      { name: 'version', value: 'N', required: true, doc: 'Version of the key: see keys list.' },
      PURPOSE,
      { name: 'emergency', doc: 'The key has leaked: kill every token of the environment.' },
      { name: 'reason', value: 'TEXT', doc: 'Why; stands in the audit trail. With --emergency.' },
    ],
    examples: [
      'countersign keys retire --environment production --version 3',
      "countersign keys retire --environment production --version 4 --emergency --reason 'key seen in a memory dump'",
    ],
    changes: true,
    run: retire,
  },
  REWRAP_COMMAND,
];
