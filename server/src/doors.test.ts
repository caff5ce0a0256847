import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ADMIN_ROUTES } from './admin/admin-api.ts';
import { COMMANDS } from './cli/commands.ts';
import type { OperationContext } from './operations/context.ts';
import { createOperator } from './operations/operators.ts';
import { setPolicy } from './operations/policies.ts';
import { openForOperator } from './operator.ts';
import type { AuditLine } from './ports/model.ts';
import { type CommandLine, commandLine } from './testing/command-line.ts';
import { configOf, newDataDirectory } from './testing/data.ts';
import type { BothWays, DoorCase } from './testing/door-case.ts';
import { DOOR_CASES, givenFor, ONE_DOOR } from './testing/doors.ts';
import { post } from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';
import { type Receiver, startReceiver } from './testing/webhook-receiver.ts';

/** A door with a served authority of its own behind it, so that both begin with the same state. */
type Door = {
  readonly actor: string;
  readonly context: OperationContext;
  readonly server: RunningServer;
  readonly go: (one: DoorCase, ways: BothWays) => Promise<void>;
  stop(): Promise<void>;
};

let doors: readonly Door[];
let receiver: Receiver;

before(async () => {
  receiver = await startReceiver();
  doors = await Promise.all([openDoor(byCommand), openDoor(byRequest)]);
});
after(async () => {
  await Promise.all(doors.map((door) => door.stop()));
  await receiver.close();
});

test('every command and every request is held against its counterpart, or is an exception with a reason', () => {
  const commands = COMMANDS.map(({ path }) => path.join(' '));
  const operations = ADMIN_ROUTES.map(({ operation }) => operation);
  const both = [...new Set([...commands, ...operations])];
  const cases = new Set(DOOR_CASES.flatMap(({ command, operation }) => [command, operation]));
  const missing = both.filter((one) => !cases.has(one) && ONE_DOOR[one] === undefined);
  assert.deepEqual(missing, [], 'add the other door, and a case to testing/doors.ts');
  const gone = [...cases, ...Object.keys(ONE_DOOR)].filter((one) => !both.includes(one));
  assert.deepEqual(gone, [], 'what is no command and no row is no case and no exception');
  const needless = Object.keys(ONE_DOOR).filter((one) => cases.has(one));
  assert.deepEqual(needless, [], 'what has a case is no exception');
});

describe('command line and admin API leave the same audit lines:', () => {
  for (const one of DOOR_CASES) {
    test(`${one.command}, ${one.operation}`, async () => {
      const [byCli, byApi] = await Promise.all(doors.map((door) => linesOf(door, one)));
      assert.deepEqual(
        byCli?.map(({ action }) => action),
        one.leaves ?? [],
        'what it leaves',
      );
      assert.deepEqual(byApi, byCli);
    });
  }
});

test('a difference would be found: another reason, another setting, a line too many', () => {
  const line = { action: 'program.suspend', target: 'program_a', detail: { reason: 'leak' } };
  const other = { ...line, detail: { reason: 'leak', until: 'later' } };
  assert.notDeepEqual(comparable(line), comparable(other));
  assert.notDeepEqual(comparable(line), comparable({ ...line, detail: { reason: 'drill' } }));
  assert.deepEqual(comparable(line), comparable({ ...line, target: 'program_b' }));
});

/** Does it by one door, and returns the lines that it left, without what differs from one time to the next. */
async function linesOf(door: Door, one: DoorCase): Promise<readonly Comparable[]> {
  const { context, server, actor } = door;
  const file = join(newDataDirectory(), 'export.jsonl');
  const given = await givenFor(context, { url: server.url, hook: receiver.url, file });
  const ways = await one.ways(given);
  const { sequence: after } = await context.audit.head();
  await door.go(one, ways);
  const lines = await context.audit.lines({ after, limit: 100 });
  const own = lines.filter((line) => line.actor === actor);
  const others = lines.filter((line) => !own.includes(line) && !line.actor.startsWith('system:'));
  assert.deepEqual(others, [], `all of it is done by ${actor}`);
  return own.map(comparable);
}

type Comparable = { readonly action: string };

function comparable({ action, target, detail }: Pick<AuditLine, 'action' | 'target' | 'detail'>) {
  return { action, target: leveled(target), detail: leveled(detail) };
}

/** The shape of a value: words stay; numbers, ids, times and hashes are only known for what they are. */
function leveled(value: unknown): unknown {
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'string') return leveledText(value);
  if (Array.isArray(value)) return value.map(leveled);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === 'changeId' ? 'an id' : leveled(member),
  ]);
  return Object.fromEntries(members);
}

const ID =
  /\b(program|client_[a-z]{4}|sec|clm|approval|webhook|suspension|node|req)[_-][0-9A-Za-z-]+/g;

function leveledText(text: string): string {
  return (
    text
      .replace(ID, '$1_…')
      .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z\b/g, 'a time')
      .replace(/\b(?:cli:\S+|operator:\S+)/g, 'the operator')
      // Not by word boundaries: a jti may begin or end with a hyphen.
      .replace(/(?<![\w-])[\w-]{16,}(?![\w-])/g, 'a hash')
      .replace(/\b\d+\b/g, 'a number')
  );
}

type Go = (at: {
  readonly server: RunningServer;
  readonly context: OperationContext;
  readonly data: string;
}) => Promise<{ readonly actor: string; readonly go: Door['go'] }>;

async function openDoor(way: Go): Promise<Door> {
  const data = newDataDirectory();
  const server = await startServer(data);
  const { context, close } = await openForOperator(configOf(data), 'test:setup');
  await setPolicy(context, { name: 'secret-handover', value: 'shown' });
  const { actor, go } = await way({ server, context, data });
  return {
    ...{ actor, context, server, go },
    stop: async () => {
      await close();
      assert.equal(await server.stop(), 0);
    },
  };
}

const byCommand: Go = ({ data }) => {
  const cli: CommandLine = commandLine(data);
  return Promise.resolve({
    actor: 'cli:ada@desk-4',
    go: async ({ command, mayComplain }, { argv }) => {
      const ran = await cli([...command.split(' '), ...argv, '--json']);
      if (mayComplain !== true) assert.equal(ran.code, 0, `${command}: ${ran.stderr}`);
    },
  });
};

const byRequest: Go = async ({ server, context }) => {
  const made = await createOperator(context, { name: 'Ada', role: 'admin' });
  const granted = await post(`${server.adminUrl}/admin/token`, {
    grant_type: 'client_credentials',
    client_id: made.clientId,
    client_secret: made.clientSecret.reveal(),
  });
  const { access_token: token } = (await granted.json()) as { access_token: string };
  return {
    actor: `operator:${made.clientId}`,
    go: async ({ operation }, { request, body }) => {
      const route = ADMIN_ROUTES.find((one) => one.operation === operation);
      const [method = '', path = ''] = request.split(' ');
      assert.equal(method, route?.method, operation);
      const answer = await fetch(`${server.adminUrl}/admin/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      assert.ok(answer.ok, `${request}: ${answer.status} ${await answer.text()}`);
    },
  };
};
