/** The commands that the demo prints, ready to paste into a shell. Pure text: nothing is run here. */

export type Ready = {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly accessToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly accountsUrl: string;
  readonly accountId: string;
  /** Names the payment, however often it is sent. */
  readonly paymentKey: string;
  readonly programId: string;
  /** Options that make the command line work on the demo's data; '' for the default. */
  readonly dataFlags: string;
};

const DOTS = '─'.repeat(78);

/** Everything that a newcomer needs: the whole story, from a token to a suspension and back, and how to stop the demo. */
export function transcript(ready: Ready): string {
  const { programId, dataFlags, expiresIn } = ready;
  return `
${DOTS}
Ready. Paste these into another terminal, in this folder, one after the other.

1. The program's server authenticates (its secret is new at each start and expires after 24 hours):

${tokenCommand(ready)}

2. It lists its accounts with the access token (this one lives ${duration(expiresIn)}; command 1 prints the next):

${accountsCommand(ready)}

3. It pays for a coffee. Paste it twice: the Idempotency-Key is the same, so it is paid once:

${payCommand(ready)}

4. The token has leaked. Support suspends the program, and the receipt says that no server accepts it any more:

${countersign('suspend', programId)} --reason "token leaked"${dataFlags}

5. Paste 2 or 3 again: 401. Let the program in again, and get a new token with 1, as those from before stay dead:

${countersign('reactivate', programId)}${dataFlags}

The API describes itself at ${new URL('/openapi.json', ready.accountsUrl)}
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

function accountsCommand({ accessToken, accountsUrl }: Ready): string {
  return ['curl \\', `  -H 'Authorization: Bearer ${accessToken}' \\`, `  ${accountsUrl}`].join(
    '\n',
  );
}

function payCommand({ accessToken, accountsUrl, accountId, paymentKey }: Ready): string {
  return [
    'curl \\',
    `  -H 'Authorization: Bearer ${accessToken}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -H 'Idempotency-Key: ${paymentKey}' \\`,
    `  --data '{"amount_cents":-290,"description":"Coffee"}' \\`,
    `  ${accountsUrl}/${accountId}/transactions`,
  ].join('\n');
}

function countersign(verb: string, id: string, noun = 'program'): string {
  return `npx --no-install countersign ${noun} ${verb} ${id}`;
}

function duration(seconds: number): string {
  return seconds === 3600 ? 'one hour' : `${seconds} seconds`;
}
