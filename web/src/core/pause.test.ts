import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Bell, pause } from "./pause";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("waits as long as it was told to, and leaves nothing on the signal", async () => {
  const { signal } = new AbortController();
  const removed = vi.spyOn(signal, "removeEventListener");
  const paused = pause(1_000, signal);
  await vi.advanceTimersByTimeAsync(999);
  expect(removed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await paused;
  expect(removed).toHaveBeenCalledTimes(1);
});

it("ends at once when it is called off, before or meanwhile", async () => {
  const stopping = new AbortController();
  const paused = pause(1_000, stopping.signal);
  stopping.abort();
  await paused;
  await pause(1_000, stopping.signal);
  expect(vi.getTimerCount()).toBe(0);
});

it("wakes all who wait when it rings, and those alone", async () => {
  const bell = new Bell();
  bell.ring();
  const woken: string[] = [];
  void bell.wait(1_000).then(() => woken.push("a"));
  void bell.wait(500).then(() => woken.push("b"));
  await vi.advanceTimersByTimeAsync(500);
  expect(woken).toEqual(["b"]);
  bell.ring();
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(["b", "a"]);
  expect(vi.getTimerCount()).toBe(0);
});
