import { describe, expect, it } from "vitest";

import { seqAt } from "./seqAt";

/** Entries by seq, at ten times their seq; 4 to 6 are not shown. */
const SEQS = [1, 2, 3, 7, 8, 9];

async function next(afterSeq: number) {
  const seq = SEQS.find((one) => one > afterSeq);
  return seq === undefined ? undefined : { seq, sentAtMs: seq * 10 };
}

describe("seqAt", () => {
  it.each([
    [0, 1],
    [10, 1],
    [11, 2],
    [35, 7],
    [70, 7],
    [90, 9],
    [91, undefined],
  ])("finds what was said at %d or after it", async (timeMs, seq) => {
    expect(await seqAt(timeMs, { first: 1, last: 12 }, next)).toBe(seq);
  });

  it("finds nothing where nothing is", async () => {
    expect(await seqAt(0, { first: 1, last: 0 }, next)).toBeUndefined();
  });
});
