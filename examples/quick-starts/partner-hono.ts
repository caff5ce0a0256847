/** A partner's server on Hono, served by Node, with one route that asks the bank. */

import { createClient } from '@countersign/client';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const { ISSUER = '', CLIENT_ID = '', BANK_API = '', PORT } = process.env;
const clientSecret = { env: 'CLIENT_SECRET' };
const bank = createClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret, api: BANK_API });

const app = new Hono();
app.get('/accounts', async () => {
  const answer = await bank.fetch(`${BANK_API}/v1/accounts`);
  return Response.json(await answer.json(), { status: answer.status });
});
serve({ fetch: app.fetch, port: Number(PORT) });
