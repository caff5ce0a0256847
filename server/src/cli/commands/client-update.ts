/** The command that changes a client's settings. */

import { invalid, parseWhole } from '../../operations/input.ts';
import { updateClient } from '../../operations/update-client.ts';
import type { TokenQuota } from '../../ports/model.ts';
import type { ClientSettings } from '../../ports/store.ts';
import type { Arguments, Command, Output, StoreCall } from '../command.ts';
import { changeOutput } from '../outputs.ts';

/** Empties a list that is given as a whole. */
const NONE = 'none';

async function update({ context, args }: StoreCall): Promise<Output> {
  const clientId = args.positional('ID');
  const keepTokens = args.flag('keep-tokens');
  const done = await updateClient(context, { clientId, set: settingsOf(args), keepTokens });
  return changeOutput(done, {
    members: { clientId },
    words: 'Updated.',
    already: 'Was so already.',
  });
}

function settingsOf(args: Arguments): ClientSettings {
  const name = args.option('name');
  const scope = args.option('scope');
  const lifetime = args.option('token-lifetime');
  const verify = args.option('verify-ip');
  const quota = args.option('token-quota');
  const mode = args.option('quota-mode');
  if (mode !== undefined && quota === undefined) {
    throw invalid('--quota-mode goes with --token-quota: give both');
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(scope === undefined ? {} : { scope: wordsOf(scope) }),
    ...listOf(args, 'resource', 'resources'),
    ...listOf(args, 'allow-ip', 'allowIp'),
    ...(verify === undefined
      ? {}
      : { verifyAddress: oneOf('--verify-ip', verify, ['on', 'off']) === 'on' }),
    ...(lifetime === undefined
      ? {}
      : {
          tokenLifetimeSeconds: parseWhole('--token-lifetime', lifetime, { min: 1, max: 86_400 }),
        }),
    ...(quota === undefined ? {} : { tokenQuota: quotaOf(quota, mode) }),
  };
}

function wordsOf(scope: string): readonly string[] {
  return scope.split(/\s+/).filter((name) => name !== '' && name !== NONE);
}

function listOf<Name extends 'resources' | 'allowIp'>(
  args: Arguments,
  option: string,
  name: Name,
): { readonly [Key in Name]?: readonly string[] } {
  const given = args.list(option);
  if (given.length === 0) return {};
  const values = given.length === 1 && given[0] === NONE ? [] : given;
  return { [name]: values } as { readonly [Key in Name]?: readonly string[] };
}

function quotaOf(quota: string, mode = 'enforce'): TokenQuota | 'none' {
  const enforced = oneOf('--quota-mode', mode, ['enforce', 'report']) === 'enforce';
  if (quota === NONE) return NONE;
  return { perHour: parseWhole('--token-quota', quota, { min: 1, max: 1_000_000 }), enforced };
}

function oneOf(parameter: string, value: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value;
  throw invalid(`${parameter} must be ${choices.join(' or ')}`);
}

export const CLIENT_UPDATE: Command = {
  path: ['client', 'update'],
  summary: "Change a client's settings.",
  about:
    'What is left out stays. Taking away a scope, a resource or an address, or shortening the lifetime, kills the tokens that\n' +
    'it has, unless --keep-tokens is given. Lists are given whole; none empties one.\n' +
    'A quota is counted over the hour of the clock; with --quota-mode report nothing is refused, and the log and the audit\n' +
    'trail say what would have been.',
  positionals: [{ name: 'ID', doc: 'Id of the client: client_test_… or client_live_…' }],
  options: [
    { name: 'name', value: 'NAME', doc: 'What it is, for people.' },
    { name: 'scope', value: '"a b"', doc: 'Declared scopes that it may ask for, or none.' },
    {
      name: 'resource',
      value: 'URI',
      repeatable: true,
      doc: 'Declared resource that its tokens may be for, or none.',
    },
    {
      name: 'allow-ip',
      value: 'CIDR',
      repeatable: true,
      doc: 'Address or block that it may ask for tokens from, or none: anywhere.',
    },
    {
      name: 'verify-ip',
      value: 'on|off',
      doc: 'Whether its tokens are good from those addresses only; resource servers must then send client_ip.',
    },
    { name: 'token-lifetime', value: 'SECONDS', doc: 'How long its tokens live: 1 to 86400.' },
    { name: 'token-quota', value: 'N', doc: 'Tokens that it may get in an hour, or none.' },
    {
      name: 'quota-mode',
      value: 'MODE',
      doc: 'enforce (the default), or report: refuse nothing, tell what would be refused.',
    },
    { name: 'keep-tokens', doc: 'Its tokens live on though it may do less than before; audited.' },
  ],
  examples: [
    'countersign client update client_test_4Gq8Zk1LwP0xYb3N --allow-ip 192.0.2.0/24 --verify-ip on',
    'countersign client update client_test_4Gq8Zk1LwP0xYb3N --token-quota 120 --quota-mode report',
  ],
  changes: true,
  run: update,
};
