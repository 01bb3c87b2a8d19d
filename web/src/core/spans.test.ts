import { expect, it } from "vitest";

import { spanAt, withSpan, type Span } from "./spans";

function made(...stretches: readonly (readonly [number, number])[]): readonly Span[] {
  return stretches.reduce<readonly Span[]>((spans, [from, to]) => withSpan(spans, from, to), []);
}

it("joins stretches that touch or overlap, and keeps the others in order", () => {
  expect(made([10, 20], [1, 5], [21, 22], [4, 8])).toEqual([
    { from: 1, to: 8 },
    { from: 10, to: 22 },
  ]);
  expect(made([1, 2], [6, 7], [3, 5])).toEqual([{ from: 1, to: 7 }]);
});

it("adds nothing for an empty stretch", () => {
  expect(made([3, 2])).toEqual([]);
});

it("finds the stretch that holds a seq, its ends included", () => {
  const spans = made([1, 5], [8, 9]);
  expect([spanAt(spans, 5)?.from, spanAt(spans, 8)?.to, spanAt(spans, 6)]).toEqual([1, 9, undefined]);
});
