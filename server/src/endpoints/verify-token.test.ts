import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sealToken } from '../credentials/access-token.ts';
import { newOpening } from '../credentials/opened-tokens.ts';
import type { OperationContext } from '../operations/context.ts';
import { retireLeakedKey } from '../operations/retire-key.ts';
import { rotateKey } from '../operations/rotate-key.ts';
import { newReplica } from '../replica/replica.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, type Onboarded, onboard } from '../testing/onboarding.ts';
import type { Authority } from './context.ts';
import { verifyToken } from './verify-token.ts';

const SANDBOX = 1;
const ROTATION = { environment: 'sandbox', purpose: 'token' } as const;

/** A node that hears of changes only when it asks, as if every poll and every hint were late. */
async function slowNode({ keyRing, log, clock }: OperationContext) {
  const replica = newReplica({
    key: (fact, environment) => {
      if (fact.is === 'key') keyRing.add({ ...fact, environment });
      else keyRing.retire(fact);
    },
    clientChanged: () => {},
    reset: () => {},
  });
  await log.snapshot((snapshot) => replica.load(snapshot));
  let asked = 0;
  const follower = {
    mayDecide: () => true,
    catchUp: async () => {
      asked += 1;
      const from = replica.position;
      assert.equal(replica.take(await log.poll(from.sequence), from), 'current');
    },
  };
  const open = newOpening();
  const authority = { keyRing, open, replica, clock, follower } as unknown as Authority;
  return {
    verify: async (token: string) => {
      const verified = await verifyToken(authority, SANDBOX, token);
      return 'standing' in verified ? verified.standing : verified.reason;
    },
    asked: () => asked,
  };
}

/** Seals a token as a node does that knows everything by now. */
function sealedNow(data: string, { clientId, secretId }: Onboarded): Promise<string> {
  return asOperator(data, async ({ keyRing, directory, clock }) => {
    const [client] = await directory.clients({ clientId });
    const [secret] = await directory.secrets({ secretId });
    const [environment] = await directory.environments();
    return sealToken(keyRing.sealingKey(SANDBOX).key, randomBytes(12), {
      client: client?.ordinal ?? 0,
      generation: environment?.generation ?? 0,
      secret: secret?.ordinal ?? 0,
      issuedAtMs: clock.wallMs(),
      lifetimeSeconds: 3600,
      scopeSet: 1,
      resource: 0,
    });
  });
}

test('a token under a key that this node has not heard of is never refused: the node catches up once', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const old = await sealedNow(data, client);
    const node = await slowNode(context);
    await asOperator(data, async (other) => {
      for (let round = 0; round < 3; round += 1) await rotateKey(other, ROTATION);
    });
    const token = await sealedNow(data, client);
    assert.equal(await node.verify(old), 'live');
    assert.equal(node.asked(), 0);
    assert.equal(await node.verify(token), 'live');
    assert.equal(await node.verify(token), 'live');
    assert.equal(node.asked(), 1);
  });
});

test('a node that learns of an emergency only from a new token refuses every token from before', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const old = await sealedNow(data, client);
    const node = await slowNode(context);
    assert.equal(await node.verify(old), 'live');
    await asOperator(data, (other) =>
      retireLeakedKey(other, { environment: 'sandbox', version: 1, reason: 'leaked' }),
    );
    assert.equal(await node.verify(await sealedNow(data, client)), 'live');
    assert.equal(await node.verify(old), 'unknown');
    // It does not ask the store about a key that it knows to be gone.
    assert.equal(node.asked(), 1);
  });
});
