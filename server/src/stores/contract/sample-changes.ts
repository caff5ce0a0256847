/** Changes and clients as the contract's tests make them, each with ids of its own. */

import type { Change, ChangeRefused, NewSecret } from '../../ports/store.ts';
import type { Store } from '../store.ts';

let made = 0;

export function commit(store: Store, change: Change, atMs = 1_000) {
  return store.commit({ change, actor: 'test:contract', atMs });
}

export function newProgram(): Extract<Change, { kind: 'program.create' }> {
  made += 1;
  const programId = `program_${String(made).padStart(16, '0')}`;
  return { kind: 'program.create', programId, name: `Program ${made}` };
}

export function newSecret(): NewSecret {
  made += 1;
  const mac = Buffer.alloc(32, made);
  return { secretId: `sec_${made}`, mac, pepperVersion: 1, hint: 'abcd' };
}

export function newClient(programId: string): Extract<Change, { kind: 'client.create' }> {
  made += 1;
  return {
    kind: 'client.create',
    clientId: `client_test_${String(made).padStart(16, '0')}`,
    programId,
    environment: 'sandbox',
    name: 'server',
    scope: [],
    resources: [],
    allowIp: [],
    tokenLifetimeSeconds: 3600,
    resourceServer: false,
    secret: newSecret(),
  };
}

export async function onboard(store: Store, secret: Partial<NewSecret> = {}) {
  const program = newProgram();
  await commit(store, program);
  const client = newClient(program.programId);
  const first = { ...newSecret(), ...secret };
  await commit(store, { ...client, secret: first });
  const [record] = await store.directory.clients({ clientId: client.clientId });
  return {
    programId: program.programId,
    clientId: client.clientId,
    ordinal: record?.ordinal ?? 0,
    secretId: first.secretId,
  };
}

export function refusal(code: ChangeRefused['code']): { name: string; code: string } {
  return { name: 'ChangeRefused', code };
}
