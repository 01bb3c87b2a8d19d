import { describe, expect, it } from "vitest";

import { ago, clockTime, dayName, daysBetween, dayStart, exactTime, shortTime } from "./time";

const NOW = new Date(2026, 10, 23, 15, 30).getTime();

function at(day: number, hour = 9, minute = 5): number {
  return new Date(2026, 10, day, hour, minute).getTime();
}

describe("shortTime", () => {
  it.each([
    [at(23), "09:05", "09:05"],
    [at(22, 23, 59), "昨天", "Yesterday"],
    [at(19), "星期四", "Thu"],
    [at(1), "11/1", "1 Nov"],
    [new Date(2025, 4, 2).getTime(), "25/5/2", "2 May 25"],
    [0, "", ""],
  ])("%s", (ms, zh, en) => {
    expect([shortTime(ms, NOW, "zh"), shortTime(ms, NOW, "en")]).toEqual([zh, en]);
  });
});

describe("dayName", () => {
  it("is a word for today and yesterday, else a date", () => {
    expect(dayName(at(23), NOW, "zh")).toBe("今天");
    expect(dayName(at(22), NOW, "en")).toBe("Yesterday");
    expect(dayName(at(2), NOW, "zh")).toBe("11月2日星期一");
    expect(dayName(new Date(2025, 0, 5).getTime(), NOW, "en")).toContain("2025");
  });
});

it("days are counted by the calendar, not by hours", () => {
  expect(daysBetween(at(22, 23, 59), at(23, 0, 1))).toBe(1);
  expect(daysBetween(at(23, 0, 1), at(23, 23, 59))).toBe(0);
});

it("a day begins at midnight, whichever was asked for before", () => {
  for (const ms of [at(23, 0, 0), at(23, 23, 59), at(22, 23, 59), at(23)]) {
    const day = new Date(ms);
    day.setHours(0, 0, 0, 0);
    expect(dayStart(ms)).toBe(day.getTime());
  }
});

it("the next minute is another time, in another language too", () => {
  expect([at(23, 9, 5), at(23, 9, 6), at(23, 9, 5)].map((ms) => clockTime(ms, "en"))).toEqual(
    ["09:05", "09:06", "09:05"],
  );
  expect(dayName(at(2), NOW, "en")).not.toBe(dayName(at(2), NOW, "zh"));
});

it("midnight is 00, not 24", () => {
  expect(clockTime(at(23, 0, 7), "en")).toBe("00:07");
});

it("ago goes from minutes to a date", () => {
  expect(ago(NOW - 3 * 60_000, NOW, "zh")).toBe("3分钟前");
  expect(ago(NOW - 2 * 3_600_000, NOW, "en")).toBe("2 hours ago");
  expect(ago(at(1), NOW, "en")).toBe("1 Nov 2026");
  expect(ago(NOW + 9_000, NOW, "en")).toBe("just now");
});

it("tells the seconds of a minute apart", () => {
  expect([0, 7, 59].map((second) => exactTime(at(23) + second * 1_000, "en"))).toEqual(["09:05:00", "09:05:07", "09:05:59"]);
});
