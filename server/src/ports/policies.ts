/** What an installation decides for all who work with it, whichever door they come through: a table, and no rule. */

export type Policy = {
  /** What it may be set to: words, or whole numbers of a range. */
  readonly words: readonly string[];
  readonly range?: { readonly min: number; readonly max: number };
  /** What holds until it is set. */
  readonly fallback: string;
  readonly doc: string;
};

export const POLICIES = {
  'reactivation-approvals': {
    words: ['0', '1'],
    fallback: '0',
    doc: 'How many other people must approve before what is suspended works again. Going back to `0` needs that approval itself.',
  },
  'secret-handover': {
    words: ['claim', 'shown'],
    fallback: 'claim',
    doc: 'How the admin API hands out a secret: by a claim link that the partner opens, or shown once in the answer.',
  },
  'leaked-secret': {
    words: ['flag', 'revoke', 'suspend-client'],
    fallback: 'flag',
    doc: 'What becomes of a live secret that a stranger reports as leaked, beside telling operators and program.',
  },
  'token-in-url': {
    words: ['revoke', 'report'],
    fallback: 'revoke',
    doc: 'What becomes of a live token that is seen in a URL, and so stands in logs by now.',
  },
  'basic-authentication': {
    words: ['on', 'off'],
    fallback: 'off',
    doc: 'Whether clients may also send their credentials in an `Authorization: Basic` header, for libraries that can do nothing else. The form body is taken always.',
  },
  'dormant-days': {
    words: ['off'],
    range: { min: 30, max: 3_650 },
    fallback: '90',
    doc: 'After how many days without a token a client is reported as dormant.',
  },
  'dormant-suspend': {
    words: ['on', 'off'],
    fallback: 'off',
    doc: 'Whether a dormant client is suspended as well.',
  },
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof POLICIES;

/** What somebody has set; a policy that nobody has set stands at its fallback. */
export type PolicyRecord = {
  readonly name: string;
  readonly value: string;
  readonly setAtMs: number;
  readonly setBy: string;
};
