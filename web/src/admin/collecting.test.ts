import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope } from "vue";

import { EVERY_MS, useCollecting } from "./collecting";
import type { HistoryAnswer } from "./history";

function answer(unit: string, atMs: number): HistoryAnswer {
  return { fields: ["at_ms", "sends"], nodes: [{ unit, incarnation: "x", samples: [[atMs, 1]] }], silent: [] };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("what a node told stays when it has died, and what was missed is asked for again", async () => {
  const asked: number[] = [];
  const answers: (HistoryAnswer | Error)[] = [answer("a", 1), new Error("away"), answer("b", 2), answer("b", 3)];
  const api = {
    history: async (samples: number): Promise<HistoryAnswer> => {
      asked.push(samples);
      const next = answers.shift();
      if (next === undefined || next instanceof Error) throw next ?? new Error("no more");
      return next;
    },
  };
  const scope = effectScope();
  const collected = scope.run(() => useCollecting(api));
  await vi.advanceTimersByTimeAsync(0);
  expect([collected?.turn.value, collected?.error.value]).toEqual([1, undefined]);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(collected?.error.value).toBeInstanceOf(Error);
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(collected?.error.value).toBeUndefined();
  expect(asked).toEqual([720, 6, 720, 6]);
  expect(collected?.book.series({ field: "sends" }).map((one) => one.unit)).toEqual(["a", "b"]);
  scope.stop();
  await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
  expect(asked.length).toBe(4);
});
