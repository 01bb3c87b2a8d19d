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

it("tells the last of several at once, never backwards, and nothing twice", () => {
  const told: (readonly Mark[])[] = [];
  const marks = new Marks((some) => told.push(some) > 0);
  marks.move(mark("7", 5, 0));
  marks.move(mark("7", 3, 2));
  marks.move(mark("8", 1, 0));
  expect(told).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(told).toEqual([[mark("7", 5, 2), mark("8", 1, 0)]]);
  marks.move(mark("7", 5, 0));
  marks.move(mark("7", 0, 2));
  marks.move(mark("8", 0, 1));
  vi.advanceTimersByTime(200);
  expect(told.slice(1)).toEqual([[mark("8", 0, 1)]]);
});

it("keeps what could not be told", () => {
  let isUp = false;
  const told: Mark[] = [];
  const marks = new Marks((some) => isUp && told.push(...some) > 0);
  marks.move(mark("7", 5, 5));
  marks.flush();
  isUp = true;
  marks.flush();
  expect(told).toEqual([mark("7", 5, 5)]);
});

it("tells very many in several requests", () => {
  const told: number[] = [];
  const marks = new Marks((some) => told.push(some.length) > 0);
  for (let id = 0; id < 2_001; id += 1) marks.move(mark(String(id), 1, 0));
  marks.flush();
  expect(told).toEqual([1_000, 1_000, 1]);
});

it("tells what the server lacks, and not what it has", () => {
  const told: Mark[] = [];
  const marks = new Marks((some) => told.push(...some) > 0);
  marks.move(mark("7", 5, 5));
  marks.move(mark("8", 5, 0));
  marks.learn(mark("7", 5, 5));
  marks.learn(mark("8", 4, 4));
  marks.flush();
  expect(told).toEqual([mark("8", 5, 0)]);
  // On the next connection it turns out that this was lost on the way.
  marks.learn(mark("8", 4, 4));
  marks.move(mark("8", 5, 4));
  marks.move(mark("7", 5, 5));
  marks.flush();
  expect(told.slice(1)).toEqual([mark("8", 5, 4)]);
});

it("tells nothing after its end", () => {
  const tell = vi.fn(() => true);
  const marks = new Marks(tell);
  marks.move(mark("7", 1, 1));
  marks.close();
  vi.advanceTimersByTime(1_000);
  expect(tell).not.toHaveBeenCalled();
});
