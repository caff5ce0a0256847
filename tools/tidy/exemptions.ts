/** Exemptions: a comment that names a rule and a reason spares its own line and the next; an idle one is a finding. */

import type { Finding } from './rule.ts';
import type { House } from './source.ts';

/** Written as `tidy: allow function-length, because …` in a comment. */
const comment = /(?:\/\/|\*) tidy: allow ([a-z-]+)(?:, because (\S.*))?/;

export type Exemption = {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly reason: string | undefined;
};

export const exemptionsOf = (house: House): readonly Exemption[] =>
  house.sources.flatMap(({ path, lines }) =>
    lines.flatMap((text, index) => {
      const [, rule, reason] = comment.exec(text) ?? [];
      return rule === undefined ? [] : [{ path, line: index + 1, rule, reason }];
    }),
  );

export const spares = (exemption: Exemption, rule: string, finding: Finding): boolean =>
  exemption.rule === rule &&
  exemption.path === finding.path &&
  (exemption.line === finding.line || exemption.line === finding.line - 1);

/** Findings about the exemptions themselves, given those that spared something. */
export const judgeExemptions = (
  exemptions: readonly Exemption[],
  used: ReadonlySet<Exemption>,
): readonly Finding[] =>
  exemptions.flatMap((exemption) => {
    const { path, line, rule, reason } = exemption;
    if (reason === undefined) {
      return [{ path, line, mend: `the exemption from ${rule} has no reason: add ", because …".` }];
    }
    if (used.has(exemption)) return [];
    return [{ path, line, mend: `the exemption from ${rule} spares nothing: take it away.` }];
  });
