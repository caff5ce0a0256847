/** A partner's server on `node:http` with one route that asks the bank. */

import { createServer } from 'node:http';
import { createClient } from '@countersign/client';

const { ISSUER = '', CLIENT_ID = '', BANK_API = '', PORT } = process.env;
const clientSecret = { env: 'CLIENT_SECRET' };
const bank = createClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret, api: BANK_API });

createServer(async (_request, response) => {
  const answer = await bank.fetch(`${BANK_API}/v1/accounts`).catch(() => undefined);
  response.writeHead(answer?.status ?? 502, { 'Content-Type': 'application/json' });
  response.end(await answer?.text());
}).listen(Number(PORT));
