/** The stretch of a conversation that is held in memory, as pages and events change it. */

import type { Entry, HistoryPage } from "../../core/api";

export interface Stretch {
  readonly entries: readonly Entry[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** Beyond this the far end is let go: the rows stay quick however far one scrolls. */
export const MAX_ENTRIES = 600;

export const EMPTY: Stretch = { entries: [], hasOlder: false, hasNewer: false };

/** What is not in the log yet comes last. */
function order(entry: Entry): number {
  return entry.seq === 0 ? Number.MAX_SAFE_INTEGER : entry.seq;
}

function merge(known: readonly Entry[], more: readonly Entry[]): Entry[] {
  const byKey = new Map(known.map((one) => [one.key, one]));
  for (const one of more) byKey.set(one.key, one);
  // Sorting is stable: those that wait keep the order in which they were written.
  return [...byKey.values()].sort((one, other) => order(one) - order(other));
}

/** With a page from before it; what no longer fits is let go at the newest end. */
export function addOlder(stretch: Stretch, page: HistoryPage): Stretch {
  const entries = merge(page.entries, stretch.entries);
  return {
    entries: entries.slice(0, MAX_ENTRIES),
    hasOlder: page.hasOlder,
    hasNewer: stretch.hasNewer || entries.length > MAX_ENTRIES,
  };
}

/** With a page from after it; what no longer fits is let go at the oldest end. */
export function addNewer(stretch: Stretch, page: HistoryPage): Stretch {
  const entries = merge(stretch.entries, page.entries);
  return {
    entries: entries.slice(-MAX_ENTRIES),
    hasOlder: stretch.hasOlder || entries.length > MAX_ENTRIES,
    hasNewer: page.hasNewer,
  };
}

/** What just happened. While the newest end is not held, only what is known changes. */
export function applyEntries(stretch: Stretch, changed: readonly Entry[]): Stretch {
  const known = new Set(stretch.entries.map((one) => one.key));
  const first = stretch.entries.find((one) => one.seq > 0)?.seq ?? 0;
  const fitting = changed.filter(
    (one) => known.has(one.key) || (!stretch.hasNewer && (one.seq === 0 || one.seq > first)),
  );
  if (fitting.length === 0) return stretch;
  const entries = merge(stretch.entries, fitting);
  return {
    ...stretch,
    entries: entries.slice(-MAX_ENTRIES),
    hasOlder: stretch.hasOlder || entries.length > MAX_ENTRIES,
  };
}

/** Without a message that was deleted before it was sent. */
export function removeEntry(stretch: Stretch, key: string): Stretch {
  return { ...stretch, entries: stretch.entries.filter((one) => one.key !== key) };
}
