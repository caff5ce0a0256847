/** A partner's server on Express with one route that asks the bank. */

import { createClient } from '@countersign/client';
import express from 'express';

const { ISSUER = '', CLIENT_ID = '', BANK_API = '', PORT } = process.env;
const clientSecret = { env: 'CLIENT_SECRET' };
const bank = createClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret, api: BANK_API });

const app = express();
app.get('/accounts', async (_request, response) => {
  const answer = await bank.fetch(`${BANK_API}/v1/accounts`);
  response.status(answer.status).json(await answer.json());
});
app.listen(Number(PORT));
