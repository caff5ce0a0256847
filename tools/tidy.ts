/** Style as a test: reads the whole house, applies every rule, and prints what to mend, a line each. Owns no rule. */

import { fileURLToPath } from 'node:url';
import { banRules } from './tidy/bans.ts';
import { exemptionsOf, judgeExemptions, spares } from './tidy/exemptions.ts';
import { importRules } from './tidy/imports.ts';
import { nameRules } from './tidy/names.ts';
import type { Finding, Rule } from './tidy/rule.ts';
import { sizeRules } from './tidy/sizes.ts';
import { readHouse } from './tidy/source.ts';

type NamedFinding = Finding & { readonly rule: string };

export const rules: readonly Rule[] = [...sizeRules, ...nameRules, ...importRules, ...banRules];

/** Everything below `root` that breaks a rule, with how many files were read. */
export const tidy = (root: string): { files: number; findings: readonly NamedFinding[] } => {
  const house = readHouse(root);
  const exemptions = exemptionsOf(house);
  const used = new Set<(typeof exemptions)[number]>();
  const broken = rules.flatMap(({ name, find }) =>
    find(house).flatMap((finding) => {
      const exemption = exemptions.find((it) => spares(it, name, finding));
      if (exemption !== undefined) used.add(exemption);
      return exemption === undefined ? [{ ...finding, rule: name }] : [];
    }),
  );
  const idle = judgeExemptions(exemptions, used).map((it) => ({ ...it, rule: 'exemption' }));
  return { files: house.sources.length, findings: [...broken, ...idle] };
};

const main = (): void => {
  const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
  const { files, findings } = tidy(root);
  for (const { path, line, rule, mend } of findings) {
    console.error(`${path}:${line} ${mend} [${rule}]`);
  }
  if (files === 0) console.error(`no source file below ${root}: nothing was checked`);
  if (files === 0 || findings.length > 0) process.exitCode = 1;
  else console.log(`${files} files keep all ${rules.length} rules`);
};

if (import.meta.main) main();
