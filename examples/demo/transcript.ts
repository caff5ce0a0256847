/** The commands that the demo prints, ready to paste into a shell. Pure text: nothing is run here. */

export type Ready = {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly accessToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly accountsUrl: string;
  readonly programId: string;
  /** Options that make the command line work on the demo's data; '' for the default. */
  readonly dataFlags: string;
};

const DOTS = '─'.repeat(78);

/** Everything that a newcomer needs: the two calls, and how to stop a program and the demo. */
export function transcript(ready: Ready): string {
  const { programId, dataFlags, expiresIn } = ready;
  return `
${DOTS}
1. The program's server authenticates (its secret is new at each start and expires after 24 hours):

${tokenCommand(ready)}

2. It calls the Banking API with the access token (this one lives ${duration(expiresIn)}; command 1 prints the next):

${callCommand(ready)}

If a secret or a token leaks, suspend the program; the next call is refused, and the receipt says so:
  ${countersign('suspend', programId)} --reason "secret leaked"${dataFlags}
Let it in again (tokens from before stay dead):
  ${countersign('reactivate', programId)}${dataFlags}
Ctrl-C stops everything. Nothing is lost: the next start finds it as it was.
${DOTS}`;
}

/** What is said instead when the demo program or its client is suspended. */
export function suspendedNote(stopped: {
  readonly what: 'program' | 'client';
  readonly id: string;
  readonly dataFlags: string;
}): string {
  const { what, id, dataFlags } = stopped;
  return `
The demo ${what} is suspended, as it was left, so that it gets no token. Reactivate it, then start again:
  ${countersign('reactivate', id, what)}${dataFlags}
Ctrl-C stops everything.`;
}

function tokenCommand({ clientId, clientSecret, tokenEndpoint }: Ready): string {
  return [
    'curl \\',
    "  -H 'Accept: application/json' \\",
    "  -H 'Content-Type: application/x-www-form-urlencoded' \\",
    `  --data "client_id=${clientId}" \\`,
    `  --data "client_secret=${clientSecret}" \\`,
    '  --data "grant_type=client_credentials" \\',
    `  ${tokenEndpoint}`,
  ].join('\n');
}

function callCommand({ accessToken, accountsUrl }: Ready): string {
  return ['curl \\', `  -H 'Authorization: Bearer ${accessToken}' \\`, `  ${accountsUrl}`].join(
    '\n',
  );
}

function countersign(verb: string, id: string, noun = 'program'): string {
  return `npx --no-install countersign ${noun} ${verb} ${id}`;
}

function duration(seconds: number): string {
  return seconds === 3600 ? 'one hour' : `${seconds} seconds`;
}
