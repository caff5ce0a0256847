/** `countersign serve`: hands its options to the configuration and becomes the server. */

import { SETTINGS } from '../../config.ts';
import type { Command, Option } from '../command.ts';

type Setting = keyof typeof SETTINGS;

function option(setting: Setting, value: string, more: { repeatable?: true } = {}): Option {
  const { flag = '', doc, variable } = SETTINGS[setting];
  return { name: flag, value, doc: `${doc.replace(/\.$/, '')} (${variable}).`, ...more };
}

export const SERVE_COMMAND: Command = {
  path: ['serve'],
  summary: 'Run the authority: /token and the rest, until a signal stops it.',
  about:
    'A new data directory is made ready first. Plain HTTP is served on loopback addresses only, or behind a declared TLS proxy.',
  options: [
    option('listen', 'HOST:PORT'),
    option('adminListen', 'HOST:PORT'),
    option('publicUrl', 'URL'),
    option('adminUrl', 'URL'),
    option('workers', 'N'),
    option('tlsCertificate', 'FILE'),
    option('tlsKey', 'FILE'),
    option('trustedProxies', 'CIDR', { repeatable: true }),
    option('gateways', 'CIDR', { repeatable: true }),
  ],
  examples: [
    'countersign serve',
    'countersign serve --listen 0.0.0.0:443 --tls-certificate server.pem --tls-key server.key --data /var/lib/countersign',
  ],
  start: ({ flags, deps }) => deps.serve(deps.readConfig(flags)),
};
