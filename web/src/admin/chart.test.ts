import { expect, test } from "vitest";

import { bandOf, lineOf, maxOf, nearest, roundUp, short, startOf, stepOf, timeMarks, xOf, yOf, type Frame } from "./chart";

const FRAME: Frame = { width: 100, height: 50, fromMs: 0, toMs: 100_000, top: 10 };

test("a scale ends at a round number that nothing exceeds", () => {
  const found = [0, 0.3, 1, 1.1, 2.2, 4.9, 7, 99, 100, 101].map((value) => roundUp(value, 0.1));
  expect(found).toEqual([0.1, 0.5, 1, 2, 2.5, 5, 10, 100, 100, 200]);
  for (let value = 0.01; value < 10_000; value *= 1.37) {
    expect(roundUp(value, 0.001)).toBeGreaterThanOrEqual(value * (1 - 1e-9));
  }
  expect(roundUp(0, 4)).toBe(5);
});

test("points are placed by time and value", () => {
  expect([xOf(FRAME, 25_000), yOf(FRAME, 10), yOf(FRAME, 0)]).toEqual([25, 0, 50]);
});

test("a line has a gap where samples are missing", () => {
  const line = lineOf(FRAME, [
    [0, 0, 0, 0],
    [5_000, 10, 10, 10],
    [50_000, 5, 5, 5],
    [55_000, 5, 5, 5],
    [90_000, 5, 5, 5],
  ]);
  expect(line).toBe("M0.0 50.0L5.0 0.0M50.0 25.0L55.0 25.0M90.0 25.0h0");
});

test("a band reaches from the middle to what 99 of 100 do not exceed, and has the gaps of its line", () => {
  const points = [
    [0, 0, 5, 9],
    [5_000, 5, 10, 99],
    [50_000, 5, 5, 5],
  ] as const;
  expect(bandOf(FRAME, points)).toBe("M0.0 50.0L5.0 25.0L5.0 0.0L0.0 25.0ZM50.0 25.0L50.0 25.0Z");
  expect(lineOf(FRAME, points.slice(0, 2), 2)).toBe("M0.0 25.0L5.0 0.0");
  expect(maxOf([{ unit: "a", points }])).toBe(10);
});

test("time begins with the range, or with the first sample of a young cluster", () => {
  expect(startOf(300_000, 0, 1_000_000)).toBe(700_000);
  expect(startOf(300_000, 900_000, 1_000_000)).toBe(900_000);
  expect(startOf(300_000, 995_000, 1_000_000)).toBe(940_000);
});

test("a key steps from sample to sample, whoever's, and stops at the ends", () => {
  const series = [
    { unit: "a", points: [[0, 1, 1, 1], [10, 1, 1, 1]] },
    { unit: "b", points: [[7, 1, 1, 1]] },
  ] as const;
  expect([stepOf(series, 0, 1), stepOf(series, 7, 1), stepOf(series, 10, 1)]).toEqual([7, 10, 10]);
  expect([stepOf(series, 10, -1), stepOf(series, 0, -1)]).toEqual([7, 0]);
});

test("what is nearest in time, unless nothing is near", () => {
  const points = [
    [0, 1, 1, 1],
    [10_000, 2, 2, 2],
  ] as const;
  expect(nearest(points, 6_000)).toEqual([10_000, 2, 2, 2]);
  expect(nearest(points, 17_000)).toEqual([10_000, 2, 2, 2]);
  expect(nearest(points, 18_000)).toBeUndefined();
  expect(nearest([], 0)).toBeUndefined();
});

test("time is marked at whole minutes, not too densely", () => {
  const hour = { ...FRAME, fromMs: 30_000, toMs: 30_000 + 3_600_000 };
  const marks = timeMarks(hour, 4);
  expect(marks.length).toBeLessThanOrEqual(5);
  expect(marks.every((at) => at % 60_000 === 0 && at >= hour.fromMs && at < hour.toMs)).toBe(true);
  expect(timeMarks({ ...FRAME, toMs: 300_000 }, 5)).toEqual([0, 60_000, 120_000, 180_000, 240_000]);
});

test("numbers are short", () => {
  expect([0, 0.04, 0.5, 3.14, 9.99, 12.3, 123.4, 1234, 12_345].map(short)).toEqual([
    "0",
    "0.04",
    "0.5",
    "3.1",
    "10",
    "12",
    "123",
    "1.2k",
    "12k",
  ]);
});
