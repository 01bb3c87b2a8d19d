import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Marks, type Mark } from "./marks";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const mark = (conversationId: string, deliveredSeq: number, readSeq: number): Mark => ({
  conversationId,
  deliveredSeq,
  readSeq,
});

it("tells the last of several at once, never backwards", () => {
  const told: Mark[] = [];
  const marks = new Marks((one) => told.push(one) > 0);
  marks.move(mark("7", 5, 0));
  marks.move(mark("7", 3, 2));
  marks.move(mark("8", 1, 0));
  expect(told).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(told).toEqual([mark("7", 5, 2), mark("8", 1, 0)]);
});

it("keeps what could not be told, and tells again what a lost connection may have lost", () => {
  let isUp = true;
  const told: Mark[] = [];
  const marks = new Marks((one) => isUp && told.push(one) > 0);
  marks.move(mark("7", 5, 5));
  marks.flush();
  isUp = false;
  marks.move(mark("8", 1, 1));
  marks.flush();
  isUp = true;
  told.length = 0;
  marks.startOver();
  expect(told.toSorted((one, other) => one.conversationId.localeCompare(other.conversationId))).toEqual([
    mark("7", 5, 5),
    mark("8", 1, 1),
  ]);
});

it("tells nothing after its end", () => {
  const tell = vi.fn(() => true);
  const marks = new Marks(tell);
  marks.move(mark("7", 1, 1));
  marks.close();
  vi.advanceTimersByTime(1_000);
  expect(tell).not.toHaveBeenCalled();
});
