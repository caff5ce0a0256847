/** `countersign doctor`: looks at a set-up, says what is wrong with it and how to mend it. */

import { diagnose } from '../../operations/doctor.ts';
import { probesOf } from '../../probes.ts';
import type { Command, MachineCall, Output } from '../command.ts';
import { table } from '../text.ts';

async function doctor({ flags, deps }: MachineCall): Promise<Output> {
  const { probes, close } = await probesOf(flags, deps);
  const checks = await diagnose(probes).finally(close);
  const failed = checks.filter(({ ok }) => !ok);
  const rows = checks.flatMap(({ name, ok, detail, mend }) => [
    [ok ? 'ok' : 'FAIL', name, detail],
    ...(mend === undefined ? [] : [['', '', `-> ${mend}`]]),
  ]);
  return {
    document: { ok: failed.length === 0, checks },
    text: table(rows),
    ...(failed.length === 0
      ? {}
      : { complaint: `${failed.length} of ${checks.length} checks failed` }),
  };
}

export const DOCTOR_COMMAND: Command = {
  path: ['doctor'],
  summary: 'Check the set-up and say how to mend what is wrong.',
  about:
    'Give it the options that the server is started with. It makes no data directory; like\n' +
    'every command it brings the schema of an earlier version up to date.',
  options: [
    { name: 'listen', value: 'HOST:PORT', doc: 'As given to serve.' },
    { name: 'admin-listen', value: 'HOST:PORT', doc: 'As given to serve.' },
    { name: 'tls-certificate', value: 'FILE', doc: 'As given to serve.' },
    { name: 'tls-key', value: 'FILE', doc: 'As given to serve.' },
    { name: 'trusted-proxy', value: 'CIDR', repeatable: true, doc: 'As given to serve.' },
  ],
  examples: ['countersign doctor --data /var/lib/countersign'],
  start: doctor,
};
