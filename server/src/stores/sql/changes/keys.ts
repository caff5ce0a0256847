/** Changes of root keys. All that stands here is wrapped under the master key: what a key is, the store cannot tell. */

import { type Fact, SUBSCRIBERS } from '../../../ports/change-log.ts';
import { type KeyPurpose, TOKEN_KEY_REST_MS } from '../../../ports/model.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, newestChange } from '../append.ts';
import { rewrapSigningKeys } from '../checkpoints.ts';
import { liveSecrets } from '../keys.ts';
import { all, db, first, firstLocked, run, type Steps } from '../schema.ts';
import { rewrapWebhooks } from '../webhooks.ts';
import { openClaimsUnder } from './claims.ts';
import { lockedEnvironment } from './scopes.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
/** Where a key stands: its environment by ordinal. */
type Place = { readonly purpose: KeyPurpose; readonly environment: number };

/** A version has two bytes in a token, and none is given out twice. */
const VERSION_MAX = 0xffff;
/** Clients that a refusal names. */
const NAMED_CLIENTS_MAX = 3;
/** What logs a wrapped key, or ends one. */
const ADDING = ['key.rotate', 'key.retire-all'];
const RETIRING = ['key.retire', 'key.retire-all'];

/** Adds the next version of a root key; what is sealed or hashed from now on takes it. */
export function* rotateKey(change: Of<'key.rotate'>, atMs: number): Steps<Effect> {
  const { purpose } = change;
  const { ordinal } = yield* lockedEnvironment(change.environment);
  const added = yield* addKey({ ...change, environment: ordinal }, atMs);
  yield* requireMasterKey(change.masterKeyCheck);
  return { target: `${purpose}/${change.environment}/${change.version}`, facts: [added] };
}

/** Ends a key that nothing alive needs. */
export function* retireKey(change: Of<'key.retire'>, atMs: number): Steps<Effect | Committed> {
  const { purpose, version } = change;
  const { ordinal } = yield* lockedEnvironment(change.environment);
  const place: Place = { purpose, environment: ordinal };
  const [key, next] = yield* all(
    keysOf(place)
      .select(['version', 'created_at_ms', 'retired_at_ms'])
      .where('version', '>=', version)
      .orderBy('version')
      .limit(2),
  );
  if (key?.version !== version) throw noKey(change);
  if (key.retired_at_ms !== null) return yield* earlierRetirement(change);
  if (next === undefined) throw isNewest(change);
  const opensUntilMs = next.created_at_ms + TOKEN_KEY_REST_MS;
  if (purpose === 'token' && opensUntilMs > atMs) throw opensTokens(change, opensUntilMs);
  // First marked, then counted: a secret that moves to this pepper at the same moment waits for the mark, or is counted.
  yield* run(
    db
      .updateTable('keys')
      .set({ retired_at_ms: atMs })
      .where('purpose', '=', purpose)
      .where('environment', '=', ordinal)
      .where('version', '=', version),
  );
  if (purpose === 'secret') yield* requireNoSecret(change, ordinal, atMs);
  return {
    target: `${purpose}/${change.environment}/${version}`,
    facts: [{ is: 'key-retired', ...place, version }],
  };
}

/** Ends every token of an environment: a new key, no earlier one, and the next generation for what is being issued right now. */
export function* retireAllTokenKeys(
  change: Of<'key.retire-all'>,
  atMs: number,
): Steps<Effect | Committed> {
  const environment = yield* lockedEnvironment(change.environment);
  const { ordinal, name, tag, issuer } = environment;
  const place: Place = { purpose: 'token', environment: ordinal };
  const leaked = { ...change, purpose: 'token', version: change.leaked } as const;
  const key = yield* first(
    keysOf(place).select('retired_at_ms').where('version', '=', change.leaked),
  );
  if (key === undefined) throw noKey(leaked);
  if (key.retired_at_ms !== null) return yield* earlierRetirement(leaked);
  const added = yield* addKey({ ...change, ...place }, atMs);
  const retired = yield* all(
    db
      .updateTable('keys')
      .set({ retired_at_ms: atMs })
      .where('purpose', '=', 'token')
      .where('environment', '=', ordinal)
      .where('version', '<', change.version)
      .where('retired_at_ms', 'is', null)
      .returning('version'),
  );
  const generation = environment.generation + 1;
  yield* run(db.updateTable('environments').set({ generation }).where('ordinal', '=', ordinal));
  yield* requireMasterKey(change.masterKeyCheck);
  const versions = retired.map(({ version }) => version).sort((a, b) => a - b);
  return {
    target: `token/${change.environment}`,
    facts: [
      { is: 'environment', ordinal, name, tag, issuer, generation },
      added,
      ...versions.map((version): Fact => ({ is: 'key-retired', ...place, version })),
    ],
    detail: { reason: change.reason, retired: versions, added: change.version },
  };
}

/** Puts every wrapped key, wherever it stands, under another master key. */
export function* rewrapKeys(change: Of<'key.rewrap'>): Steps<Effect> {
  yield* lockedEnvironments();
  yield* requireNoNode();
  const rewrapped = new Map(change.wrapped.map(({ before, after }) => [before, after]));
  const afterOf = (wrapped: string): string => {
    const after = rewrapped.get(wrapped);
    if (after !== undefined) return after;
    throw new ChangeRefused('conflict', 'the keys were changed meanwhile: repeat the command');
  };
  for (const { wrapped } of yield* all(db.selectFrom('keys').select('wrapped'))) {
    yield* run(
      db
        .updateTable('keys')
        .set({ wrapped: afterOf(wrapped) })
        .where('wrapped', '=', wrapped),
    );
  }
  yield* rewrapSigningKeys(afterOf);
  yield* rewrapWebhooks(afterOf);
  // The log holds copies: left as they are, the old master key would still open them.
  const logged = db.selectFrom('changes').select(['sequence', 'facts']);
  for (const { sequence, facts } of yield* all(logged.where('kind', 'in', ADDING))) {
    const after = (JSON.parse(facts) as readonly Fact[]).map((fact) =>
      fact.is === 'key' ? { ...fact, wrapped: afterOf(fact.wrapped) } : fact,
    );
    yield* run(
      db
        .updateTable('changes')
        .set({ facts: JSON.stringify(after) })
        .where('sequence', '=', sequence),
    );
  }
  yield* requireMasterKey(change.before);
  yield* run(db.updateTable('store').set({ master_key_check: change.after }).where('id', '=', 1));
  const { before, after } = change;
  return { target: after, facts: [], detail: { before, after, keys: rewrapped.size } };
}

/** All of them: whoever would add a key waits, and then finds the master key changed. */
export function* lockedEnvironments(): Steps<void> {
  yield* firstLocked(db.selectFrom('environments').select('ordinal').orderBy('ordinal'));
}

function keysOf({ purpose, environment }: Place) {
  return db
    .selectFrom('keys')
    .where('purpose', '=', purpose)
    .where('environment', '=', environment);
}

function* addKey(
  key: Place & { readonly version: number; readonly wrapped: string },
  atMs: number,
): Steps<Fact> {
  const { purpose, environment, version, wrapped } = key;
  const last = yield* first(keysOf(key).select((of) => of.fn.max('version').as('version')));
  if (version !== (last?.version ?? 0) + 1) {
    throw new ChangeRefused(
      'conflict',
      "somebody else has added a key meanwhile; see 'countersign keys list', and repeat the command if it is still wanted",
    );
  }
  if (version > VERSION_MAX) {
    throw new ChangeRefused('limit', `there have been ${VERSION_MAX} versions, which is the most`);
  }
  const row = { purpose, environment, version, wrapped };
  yield* run(db.insertInto('keys').values({ ...row, created_at_ms: atMs, retired_at_ms: null }));
  return { is: 'key', ...row };
}

/**
 * Not locked, as it is the row that every change ends with: whoever asks holds an environment's row, and whoever would change
 * the master key needs them all.
 */
export function* requireMasterKey(check: string): Steps<void> {
  const row = yield* first(db.selectFrom('store').select('master_key_check').where('id', '=', 1));
  if (row?.master_key_check === check) return;
  throw new ChangeRefused(
    'conflict',
    'the store was put under another master key meanwhile: repeat the command with that key',
  );
}

function* requireNoNode(): Steps<void> {
  const rows = yield* all(db.selectFrom('nodes').select(['node', 'process']).orderBy('node'));
  // What stands for subscribers has no key, and outlives its node.
  const nodes = rows.filter(({ node }) => !node.startsWith(SUBSCRIBERS));
  if (nodes.length === 0) return;
  const names = nodes.map(({ node, process }) => `${node} (${process})`).join(', ');
  throw new ChangeRefused(
    'conflict',
    `a server runs with the present master key: ${names}; stop every server (one that has crashed is written off by the receipt of any change), then repeat the command`,
  );
}

function* requireNoSecret(
  { environment, version }: Of<'key.retire'>,
  ordinal: number,
  atMs: number,
): Steps<void> {
  const needing = liveSecrets(atMs)
    .where('clients.environment', '=', ordinal)
    .where('secrets.pepper_version', '=', version);
  const counted = yield* first(needing.select((of) => of.fn.countAll<number>().as('count')));
  const count = counted?.count ?? 0;
  if (count === 0) {
    yield* requireNoClaim({ environment, version }, ordinal, atMs);
    return;
  }
  const named = yield* all(
    needing
      .select('clients.client_id')
      .distinct()
      .orderBy('clients.client_id')
      .limit(NAMED_CLIENTS_MAX),
  );
  const secrets = count === 1 ? '1 live secret needs' : `${count} live secrets need`;
  throw new ChangeRefused(
    'conflict',
    `${secrets} pepper ${version} of ${environment} (${named.map((row) => row.client_id).join(', ')}` +
      `${count > named.length ? ', …' : ''}); a secret leaves it when it is next used: ` +
      'wait for that, and rotate or revoke the secrets that are not used',
  );
}

/** The codes of claims are hashed under a key from the same root. */
function* requireNoClaim(
  { environment, version }: { readonly environment: string; readonly version: number },
  ordinal: number,
  atMs: number,
): Steps<void> {
  const open = openClaimsUnder(version, atMs).where('clients.environment', '=', ordinal);
  const named = yield* all(open.select('claims.claim_id').limit(NAMED_CLIENTS_MAX));
  if (named.length === 0) return;
  throw new ChangeRefused(
    'conflict',
    `claims that were not used yet need pepper ${version} of ${environment} (${named.map((row) => row.claim_id).join(', ')}); ` +
      'wait until they are used or run out, or revoke them',
  );
}

/** A later retirement will do as well: whoever has applied it has applied the earlier one. */
function* earlierRetirement(key: {
  purpose: KeyPurpose;
  environment: string;
  version: number;
}): Steps<Committed> {
  const all = `${key.purpose}/${key.environment}`;
  const row = yield* first(
    db
      .selectFrom('changes')
      .select(['sequence', 'change_id'])
      .where('target', 'in', [all, `${all}/${key.version}`])
      .where('kind', 'in', RETIRING)
      .orderBy('sequence', 'desc')
      .limit(1),
  );
  if (row !== undefined) return { sequence: row.sequence, changeId: row.change_id, changed: false };
  // A restore retires keys without a word in the log, which begins anew with it: then any number is late enough.
  return yield* newestChange();
}

type Named = {
  readonly purpose: KeyPurpose;
  readonly environment: string;
  readonly version: number;
};

function noKey({ purpose, environment, version }: Named): ChangeRefused {
  return new ChangeRefused(
    'not-found',
    `there is no ${purpose} key ${version} in ${environment}; 'countersign keys list' shows them`,
  );
}

function isNewest({ purpose, environment, version }: Named): ChangeRefused {
  const rotate = `countersign keys rotate --environment ${environment}`;
  return new ChangeRefused(
    'conflict',
    purpose === 'secret'
      ? `pepper ${version} of ${environment} is the newest, which new secrets take: first ${rotate} --purpose secret`
      : `token key ${version} of ${environment} is the newest, which new tokens take: first ${rotate}; ` +
          'or, when it has leaked, retire it with --emergency, which kills every token of the environment',
  );
}

function opensTokens({ environment, version }: Named, untilMs: number): ChangeRefused {
  return new ChangeRefused(
    'conflict',
    `token key ${version} of ${environment} may open live tokens until ${new Date(untilMs).toISOString()}: ` +
      'retire it after that; or, when it has leaked, with --emergency, which kills every token of the environment',
  );
}
