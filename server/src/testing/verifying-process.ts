/** A service of the bank with the authority in its process, as a child process of a test: started, asked about tokens, and ended. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Env } from '../config.ts';
import { openAuthority } from '../in-process.ts';

export type Service = {
  /** Its name in the registry. */
  readonly node: string;
  /** What it says of a token that it is asked about now. */
  tell(token: string): Promise<string>;
  /** Everything it has written to its log. */
  readonly log: () => string;
  /** Has it close the authority, and resolves to its exit code once it has ended by itself. */
  close(): Promise<number | null>;
  kill(): Promise<void>;
};

/** Starts the service and waits until it decides. */
export async function startService(settings: Env): Promise<Service> {
  const child = spawn(process.execPath, [import.meta.filename], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const asking: ((line: string) => void)[] = [];
  const answered = (): Promise<string> => new Promise((resolve) => asking.push(resolve));
  createInterface({ input: child.stdout }).on('line', (line) => asking.shift()?.(line));
  child.stdin.on('error', () => {});
  const ready = answered();
  const node = await Promise.race([ready, ended.then(() => undefined)]);
  if (node === undefined) throw new Error(`the service did not start:\n${log}`);
  return {
    node,
    tell: (token) => {
      const answer = answered();
      child.stdin.write(`${token}\n`);
      return answer;
    },
    log: () => log,
    close: async () => {
      child.stdin.end();
      await ended;
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The service itself: a line in is a token, a line out is what it is worth. */
async function serveLines(): Promise<void> {
  const say = (fields: object, message: string): void =>
    void process.stderr.write(`${JSON.stringify({ message, ...fields })}\n`);
  const authority = await openAuthority({
    environment: 'sandbox',
    service: 'accounts-api',
    settings: process.env,
    log: { info: say, warn: say, error: say },
  });
  process.stdout.write(`${authority.node}\n`);
  for await (const token of createInterface({ input: process.stdin })) {
    const answer = await authority.introspect({ token, clientIp: undefined });
    process.stdout.write(`${answer.standing}\n`);
  }
  await authority.close();
}

if (import.meta.main) await serveLines();
