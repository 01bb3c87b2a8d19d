/** Where in a conversation a time is. */

import type { Entry } from "../../core/api";

/**
 * The seq of the first entry at or after a time, found by halving: seqs ascend with the server's time.
 *
 * @param stretch the first and the last seq that may be asked for.
 * @param next the first entry after a seq; undefined: there is none.
 * @returns undefined: all there is is older.
 */
export async function seqAt(
  timeMs: number,
  stretch: { readonly first: number; readonly last: number },
  next: (afterSeq: number) => Promise<Pick<Entry, "seq" | "sentAtMs"> | undefined>,
): Promise<number | undefined> {
  let { first: low, last } = stretch;
  let high = last + 1;
  let found: number | undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = await next(middle - 1);
    if (entry !== undefined && entry.sentAtMs < timeMs) low = entry.seq + 1;
    else {
      found = entry?.seq ?? found;
      high = middle;
    }
  }
  return found;
}
