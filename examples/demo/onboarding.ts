/**
 * Brings the demo's programs and clients to where they should be, through the command line alone. What is there is left as it
 * is; only the secrets are new each time, as they cannot be read back.
 */

import { type Document, type Operate, textOf } from './command-line.ts';

const IN_ENVIRONMENT = ['--environment', 'sandbox'];
const SCOPES = [
  'accounts:read',
  'profiles:read',
  'profiles:write',
  'transactions:read',
  'transactions:write',
];
/** Printed to a terminal, so it does not live for long. */
const EXPIRY = ['--expires', '24h'];

export type Credentials = { readonly clientId: string; readonly clientSecret: string };

export type Onboarded = {
  readonly programId: string;
  readonly partner: Credentials;
  /** The Banking API's own. */
  readonly bank: Credentials;
  /** What somebody has suspended, so that the partner gets no token; it stays so. */
  readonly suspended: { readonly what: 'program' | 'client'; readonly id: string } | undefined;
};

/** Declares the scopes, and makes sure of a demo program and of the bank with its API. */
export async function onboard(operate: Operate): Promise<Onboarded> {
  const [programs, clients] = await Promise.all([
    operate('program', 'list').then(rowsOf),
    operate('client', 'list', ...IN_ENVIRONMENT).then(rowsOf),
    declareScopes(operate),
  ]);
  const known = { operate, programs, clients };
  // Both at once: each command is a process that takes a moment to start.
  const [partner, bank] = await Promise.all([
    ensureClient(known, {
      program: 'Demo Program',
      client: 'Demo server',
      flags: ['--scope', SCOPES.join(' ')],
    }),
    ensureClient(known, { program: 'Bank', client: 'Banking API', flags: ['--resource-server'] }),
  ]);
  return {
    programId: partner.programId,
    partner: partner.credentials,
    bank: bank.credentials,
    suspended: partner.suspended,
  };
}

async function declareScopes(operate: Operate): Promise<void> {
  const declared = rowsOf(await operate('scope', 'list', ...IN_ENVIRONMENT));
  const missing = SCOPES.filter((scope) => !declared.some(({ name }) => name === scope));
  await Promise.all(missing.map((scope) => operate('scope', 'create', scope, ...IN_ENVIRONMENT)));
}

type Known = {
  readonly operate: Operate;
  readonly programs: readonly Document[];
  readonly clients: readonly Document[];
};

/** The client of that name in the program of that name, made where there is none, with a secret that nobody had before. */
async function ensureClient(
  { operate, programs, clients }: Known,
  wanted: { readonly program: string; readonly client: string; readonly flags: readonly string[] },
): Promise<Pick<Onboarded, 'programId' | 'suspended'> & { readonly credentials: Credentials }> {
  const program =
    programs.find(({ name }) => name === wanted.program) ??
    (await operate('program', 'create', wanted.program));
  const programId = textOf(program, 'program_id');
  const client = clients.find(
    ({ program_id: owner, name, state }) =>
      owner === programId && name === wanted.client && state !== 'deleted',
  );
  if (client === undefined) {
    const about = ['--program', programId, ...IN_ENVIRONMENT, '--name', wanted.client];
    const created = await operate('client', 'create', ...about, ...EXPIRY, ...wanted.flags);
    return { programId, credentials: credentialsIn(created), suspended: undefined };
  }
  const clientId = textOf(client, 'client_id');
  // Ends every earlier secret at once.
  const rotated = await operate('secret', 'rotate', clientId, '--overlap', '0s', ...EXPIRY);
  let suspended: Onboarded['suspended'];
  if (program['state'] === 'suspended') suspended = { what: 'program', id: programId };
  else if (client['state'] === 'suspended') suspended = { what: 'client', id: clientId };
  return { programId, credentials: credentialsIn(rotated), suspended };
}

function credentialsIn(document: Document): Credentials {
  return {
    clientId: textOf(document, 'client_id'),
    clientSecret: textOf(document, 'client_secret'),
  };
}

function rowsOf(document: Document): readonly Document[] {
  if (Array.isArray(document)) return document;
  throw new Error('countersign printed no list: its --json output is not what the demo expects');
}
