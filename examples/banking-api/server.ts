/** `node examples/banking-api/server.ts`: puts the Banking API together, serves until told to stop, and drains. */

import { createVerifier } from '@countersign/resource-server';
import { makeAuthorize } from './authorize.ts';
import { makeDispatch } from './dispatch.ts';
import { makeListener } from './listener.ts';
import { makeRoutes } from './routes.ts';
import { readSettings, type Settings } from './settings.ts';
import { openStore } from './store.ts';

const warn = (message: string): void => console.error(`${new Date().toISOString()} ${message}`);
const line = (about: object): void =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...about }));

const serve = async (settings: Settings): Promise<void> => {
  const { host, port, issuer, clientId, clientSecret, data } = settings;
  const store = openStore(data);
  const verifier = createVerifier({
    issuer,
    clientId,
    clientSecret,
    realm: 'banking-api',
    // Each token is asked about once; what is suspended is dead by the receipt all the same.
    revocations: true,
    onOutage: ({ code, message }) => {
      if (code === 'stream-lost') warn(`Each token is asked about at each request: ${message}.`);
      else warn(`A token could not be checked: ${message}.`);
    },
  });
  const dispatch = makeDispatch({
    routes: makeRoutes(store, issuer),
    authorize: makeAuthorize(verifier),
    welcome: store.welcome,
  });
  const listener = makeListener(dispatch, { line, warn });
  const bound = await listener.listen({ host, port });
  console.log(`Banking API on http://${host}:${bound}, tokens by ${issuer}`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    // A second signal changes nothing: the first one ends the process within the drain's bound.
    if (stopping) return;
    stopping = true;
    await listener.close();
    verifier.close();
    store.close();
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
};

try {
  await serve(readSettings(process.env));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
