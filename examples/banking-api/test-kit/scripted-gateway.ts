/** A real gateway between a scripted authority and an echoing API, started and stopped with the tests around it. */

import { after, before } from 'node:test';
import { type Echo, startEcho } from './echo.ts';
import { type Gateway, type GatewayProgram, startGateway } from './gateway.ts';
import { type ScriptedAuthority, startScriptedAuthority } from './scripted-authority.ts';

export const RESOURCE = 'https://api.bank.example/v1';

export type Stage = {
  readonly authority: ScriptedAuthority;
  readonly echo: Echo;
  readonly gateway: Gateway;
};

/** To be called within `describe`; what it gives is there once the tests run. */
export function scriptedGateway(program: GatewayProgram): () => Stage {
  let stage: Partial<Stage> = {};
  before(async () => {
    const authority = await startScriptedAuthority();
    stage = { authority };
    const echo = await startEcho();
    stage = { authority, echo };
    const gateway = await startGateway(program, {
      AUTHORITY: authority.address,
      ISSUER_PATH: '/sandbox',
      API: echo.address,
      GATEWAY_AUTHORIZATION: 'Basic eDp5',
      RESOURCE,
    });
    stage = { authority, echo, gateway };
  });
  after(async () => {
    await stage.gateway?.stop();
    await stage.echo?.stop();
    await stage.authority?.stop();
  });
  return () => stage as Stage;
}
