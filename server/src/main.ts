/** The composition root: gives the command line the real machine to work on. */

import cluster from 'node:cluster';
import { hostname, userInfo } from 'node:os';
import { runCli } from './cli/run.ts';
import { readConfig } from './config.ts';
import { keepTickShape } from './tick-shape.ts';

keepTickShape();
// Whatever this process creates is for its user alone: databases, journal and key hold a bank's credentials.
process.umask(0o077);

const actor = `cli:${userName()}@${hostname()}`;
const exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  readConfig: (flags) => readConfig({ flags, env: process.env }),
  actor,
  // Each loaded when it is asked for: a node is no operator, and no other command needs a listener or a log.
  open: async (config) => (await import('./operator.ts')).openForOperator(config, actor),
  serve: async (config) => (await import('./serve.ts')).serve(config),
});
// A worker's channel to its supervisor would keep it alive.
if (cluster.isWorker) process.exit(exitCode);
process.exitCode = exitCode;

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.() ?? 'unknown'}`;
  }
}
