import { expect, it } from "vitest";

import { Backoff } from "./backoff";

it("doubles up to its limit, never below what the server asked for, and starts afresh", () => {
  const backoff = new Backoff(() => 1, 100, 350);
  expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs(1_000)]).toEqual([100, 200, 1_350]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(100);
});

it("jitters between half its ceiling and all of it", () => {
  expect(new Backoff(() => 0, 100).nextMs()).toBe(50);
});
