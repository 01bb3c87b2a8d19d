import { expect, test } from "vitest";

import { HistoryBook, type HistoryAnswer } from "./history";

const FIELDS = ["at_ms", "seconds", "sends", "commits", "commit_p50_ms", "commit_p99_ms"];

function answer(unit: string, ...samples: number[][]): HistoryAnswer {
  return { fields: FIELDS, nodes: [{ unit, incarnation: "first", samples }], silent: [] };
}

test("samples that come again are there once, ascending", () => {
  const book = new HistoryBook();
  book.add(answer("a", [10_000, 5, 20, 0, 0], [5_000, 5, 10, 0, 0]));
  book.add(answer("a", [10_000, 5, 20, 0, 0], [15_000, 10, 20, 0, 0]));
  expect(book.series({ field: "sends", isRate: true })).toEqual([
    {
      unit: "a",
      points: [
        [5_000, 2, 2, 2],
        [10_000, 4, 4, 4],
        [15_000, 2, 2, 2],
      ],
    },
  ]);
  expect(book.newestMs).toBe(15_000);
});

test("intervals without a commit have no latency", () => {
  const book = new HistoryBook();
  book.add(answer("a", [5_000, 5, 0, 0, 0, 0], [10_000, 5, 0, 3, 1.5, 9]));
  const [series] = book.series({ field: "commit_p50_ms", highField: "commit_p99_ms", onlyWith: "commits" });
  expect(series?.points).toEqual([[10_000, 1.5, 9, 1.5]]);
});

test("nodes that have died keep their line until it is an hour old", () => {
  const book = new HistoryBook();
  book.add(answer("b", [0, 5, 1, 0, 0], [1_000, 5, 1, 0, 0]));
  book.add(answer("a", [3_600_500, 5, 1, 0, 0]));
  expect(book.series({ field: "sends" }).map((one) => [one.unit, one.points.length])).toEqual([
    ["a", 1],
    ["b", 1],
  ]);
  book.add(answer("a", [3_700_000, 5, 1, 0, 0]));
  expect(book.series({ field: "sends" }).map((one) => one.unit)).toEqual(["a"]);
});

test("only what is in the range is drawn", () => {
  const book = new HistoryBook();
  book.add(answer("a", [5_000, 5, 1, 0, 0], [10_000, 5, 1, 0, 0]));
  expect(book.series({ field: "sends" }, 6_000)[0]?.points).toEqual([[10_000, 1, 1, 1]]);
  expect([book.oldestMs, book.newestMs]).toEqual([5_000, 10_000]);
  expect([new HistoryBook().oldestMs, new HistoryBook().newestMs]).toEqual([Infinity, 0]);
});
