/** The composition root: gives the command line the real machine to work on. */

import { hostname, userInfo } from 'node:os';
import { runCli } from './cli/run.ts';
import { readConfig } from './config.ts';
import { openForOperator } from './operator.ts';
import { serve } from './serve.ts';

// Whatever this process creates is for its user alone: databases, journal and key hold a bank's credentials.
process.umask(0o077);

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  readConfig: (flags) => readConfig({ flags, env: process.env }),
  open: (config) => openForOperator(config, `cli:${userInfo().username}@${hostname()}`),
  serve,
});
