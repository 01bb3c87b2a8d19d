/** Completing names after an @ while one writes, and telling afterwards who is meant. */

import type { UserId } from "../../core/api";

export interface MentionQuery {
  /** Where the @ is. */
  readonly start: number;
  readonly query: string;
}

export interface Mention {
  /** Empty: everyone. */
  readonly userId: UserId;
  readonly name: string;
}

export interface Candidate extends Mention {
  /** All that may be typed for them, the number included. */
  readonly words: readonly string[];
}

const MAX_QUERY = 20;
const MAX_CANDIDATES = 8;

/** The word after an @ in which the caret stands. An @ within an address is none. */
export function findQuery(text: string, caret: number): MentionQuery | undefined {
  const before = text.slice(0, caret);
  const start = before.lastIndexOf("@");
  if (start < 0 || /[a-zA-Z0-9._-]$/.test(before.slice(0, start))) return undefined;
  const query = before.slice(start + 1);
  return query.length > MAX_QUERY || /\s/.test(query) ? undefined : { start, query };
}

/** Those whose words hold *query*, the ones that begin so first; at most eight. */
export function findCandidates(all: readonly Candidate[], query: string): Candidate[] {
  const wanted = query.toLocaleLowerCase();
  const rank = (one: Candidate): number => {
    if (one.words.some((word) => word.toLocaleLowerCase().startsWith(wanted))) return 2;
    return one.words.some((word) => word.toLocaleLowerCase().includes(wanted)) ? 1 : 0;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((hit) => hit.rank > 0)
    .sort((one, other) => other.rank - one.rank)
    .slice(0, MAX_CANDIDATES)
    .map((hit) => hit.one);
}

/** Whom the text still names of those who were picked. */
export function collectMentions(
  text: string,
  picked: readonly Mention[],
): { readonly mentions: readonly UserId[]; readonly mentionsAll: boolean } {
  const named = picked.filter((one) => text.includes(`@${one.name}`));
  const ids = named.map((one) => one.userId).filter((id) => id !== "");
  return { mentions: [...new Set(ids)], mentionsAll: named.some((one) => one.userId === "") };
}
