import { describe, expect, it } from "vitest";

import { collectMentions, findCandidates, findQuery } from "./mentions";

describe("findQuery", () => {
  it("finds the word after an @ before the caret", () => {
    expect(findQuery("你好@小", 4)).toEqual({ start: 2, query: "小" });
    expect(findQuery("@", 1)).toEqual({ start: 0, query: "" });
  });

  it.each(["me@example", "@小满 好", "没有"])("finds none in %s", (text) => {
    expect(findQuery(text, text.length)).toBeUndefined();
  });
});

it("candidates that begin with what was typed come first", () => {
  const all = [
    { userId: "1", name: "大小满", words: ["大小满", "1"] },
    { userId: "2", name: "小满", words: ["小满", "2"] },
    { userId: "3", name: "Ada", words: ["Ada", "3"] },
  ];
  expect(findCandidates(all, "小").map((one) => one.userId)).toEqual(["2", "1"]);
  expect(findCandidates(all, "ad").map((one) => one.userId)).toEqual(["3"]);
});

it("only who is still named is meant", () => {
  const picked = [
    { userId: "2", name: "小满" },
    { userId: "3", name: "Ada" },
    { userId: "", name: "所有人" },
  ];
  expect(collectMentions("@小满 早", picked)).toEqual({ mentions: ["2"], mentionsAll: false });
  expect(collectMentions("@所有人 开会", picked)).toEqual({ mentions: [], mentionsAll: true });
});
