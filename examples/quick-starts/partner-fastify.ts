/** A partner's server on Fastify with one route that asks the bank. */

import { createClient } from '@countersign/client';
import fastify from 'fastify';

const { ISSUER = '', CLIENT_ID = '', BANK_API = '', PORT } = process.env;
const clientSecret = { env: 'CLIENT_SECRET' };
const bank = createClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret, api: BANK_API });

const app = fastify();
app.get('/accounts', async (_request, reply) => {
  const answer = await bank.fetch(`${BANK_API}/v1/accounts`);
  return reply.code(answer.status).send(await answer.json());
});
await app.listen({ port: Number(PORT) });
