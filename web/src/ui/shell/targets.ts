/** Where the switcher can lead, best first. */

import type { ConversationId } from "../../core/api";

export interface Target {
  readonly conversationId: ConversationId;
  /** The number of the person or group. */
  readonly id: string;
  readonly name: string;
  readonly isGroup: boolean;
}

const MAX_SHOWN = 30;

/** Higher is better; 0: does not match. */
function rank(target: Target, query: string): number {
  const name = target.name.toLocaleLowerCase();
  if (target.id === query || name === query) return 4;
  if (name.startsWith(query)) return 3;
  if (name.includes(query)) return 2;
  return target.id.startsWith(query) ? 1 : 0;
}

/** @param targets in the order of the list, which decides among equals; repeats are dropped. */
export function rankTargets(targets: readonly Target[], query: string): Target[] {
  const wanted = query.trim().toLocaleLowerCase();
  const seen = new Set<ConversationId>();
  const once = targets.filter((one) => !seen.has(one.conversationId) && seen.add(one.conversationId));
  if (wanted === "") return once.slice(0, MAX_SHOWN);
  return once
    .map((target) => ({ target, rank: rank(target, wanted) }))
    .filter((one) => one.rank > 0)
    .sort((one, other) => other.rank - one.rank)
    .slice(0, MAX_SHOWN)
    .map((one) => one.target);
}
