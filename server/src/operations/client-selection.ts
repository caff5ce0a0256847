/** Which clients an operator means, as conditions that must all hold: reads text, and knows no client. */

import type { ClientFilter } from '../ports/directory.ts';
import { environmentNamed, type OperationContext } from './context.ts';
import { invalid, requireEnvironmentName, requireName, requireProgramId } from './input.ts';
import { parseTime } from './time-input.ts';

export type ClientSelection = Pick<
  ClientFilter,
  'programId' | 'environment' | 'nameContains' | 'createdBeforeMs'
>;

type Context = Pick<OperationContext, 'directory' | 'clock'>;
type Read = (text: string, context: Context) => ClientSelection | Promise<ClientSelection>;

const CONDITIONS: Readonly<Record<string, Read>> = {
  'program=': async (text, { directory }) => {
    const programId = requireProgramId(text);
    if ((await directory.programs({ programId })).length > 0) return { programId };
    throw invalid(`--where: there is no program ${programId}`);
  },
  'environment=': async (text, context) => {
    const { name } = await environmentNamed(context, requireEnvironmentName(text));
    return { environment: name };
  },
  'name~': (text) => ({ nameContains: requireName('--where name~', text) }),
  // Of a duration it means that long ago.
  'created-before=': (text, { clock }) => {
    const nowMs = clock.wallMs();
    const atMs = parseTime('--where created-before', text, nowMs);
    return { createdBeforeMs: atMs > nowMs ? 2 * nowMs - atMs : atMs };
  },
};

const FORMS = 'program=ID, environment=ENV, name~TEXT, created-before=TIME';
export const CONDITIONS_DOC = `A condition that all must meet; repeat it for more: ${FORMS}.`;

/** What the conditions select. Without one nothing is selected: whoever means every client names both environments. */
export async function readSelection(
  context: Context,
  where: readonly string[],
): Promise<ClientSelection> {
  let selection: ClientSelection = {};
  for (const condition of where) {
    const form = Object.keys(CONDITIONS).find((one) => condition.startsWith(one));
    const read = form === undefined ? undefined : CONDITIONS[form];
    if (form === undefined || read === undefined) throw invalid(`--where must be one of: ${FORMS}`);
    const more = await read(condition.slice(form.length), context);
    const [key] = Object.keys(more);
    if (key !== undefined && key in selection) throw invalid(`--where ${form} is given twice`);
    selection = { ...selection, ...more };
  }
  if (Object.keys(selection).length === 0) throw invalid(`--where is missing: ${FORMS}`);
  return selection;
}
