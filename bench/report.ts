/** What a run comes to, for people, for machines and as a picture. Measures nothing and judges nothing. */

import type { Figures } from './figures.ts';
import { dependencies } from './peers.ts';
import { type Group, plotOf } from './plot.ts';
import { QUESTIONS } from './subjects.ts';

/** Names and exact versions of what stood beside Countersign. */
export function versionsLine(): string {
  const each = Object.entries(dependencies()).map(([name, version]) => `${name} ${version}`);
  return `Peers: ${each.join(', ')}.`;
}

const ON_POSTGRES = 'POST /token, PostgreSQL';
const USUAL_SHAPE = 'POST /token, node-oauth, PostgreSQL';

/** How Countersign does on PostgreSQL beside what is usual there; undefined when one of them was not measured. */
export function beyondUsual(figures: readonly Figures[]): string | undefined {
  const ratioOf = (name: string): number | undefined =>
    figures.find(({ subject }) => subject.name === name)?.ratio.median;
  const [own, usual] = [ratioOf(ON_POSTGRES), ratioOf(USUAL_SHAPE)];
  if (own === undefined || usual === undefined) return undefined;
  return `${ON_POSTGRES}: ${(own / usual).toFixed(1)} times one SELECT and one INSERT a token without bcrypt (the goal: 2).`;
}

/** A group of bars for each question, the fastest first. */
export function groupsOf(figures: readonly Figures[]): readonly Group[] {
  return QUESTIONS.map(({ name: question, beside }) => {
    const bars = figures.flatMap(({ subject: { name, isPeer = false }, ratio }) => {
      if (name !== question && !name.startsWith(`${question}, `)) return [];
      const by = isPeer ? name.slice(question.length + 2) : name.replace(question, 'Countersign');
      return [{ name: by, ratio: ratio.median, isOurs: !isPeer }];
    });
    const sorted = bars.toSorted((one, other) => other.ratio - one.ratio);
    return { title: `${question}, ratio to ${beside}`, bars: sorted };
  });
}

export function pictureOf(figures: readonly Figures[]): string {
  return plotOf(
    'Requests a second of one core, as a ratio to a bare node:http server',
    groupsOf(figures),
  );
}
