import { expect, it } from "vitest";

import { rankTargets, type Target } from "./targets";

const ALL: readonly Target[] = [
  { conversationId: "1", id: "10002", name: "Ada", isGroup: false },
  { conversationId: "2", id: "20001", name: "Canada trip", isGroup: true },
  { conversationId: "1", id: "10002", name: "Ada", isGroup: false },
  { conversationId: "3", id: "10003", name: "一凡", isGroup: false },
];

function found(query: string): string[] {
  return rankTargets(ALL, query).map((one) => one.conversationId);
}

it("without a query the list is as it is, without repeats", () => {
  expect(found("")).toEqual(["1", "2", "3"]);
});

it("the beginning of a name counts more than its middle, a number by its beginning", () => {
  expect(found("ada")).toEqual(["1", "2"]);
  expect(found("can")).toEqual(["2"]);
  expect(found("1000")).toEqual(["1", "3"]);
  expect(found("凡")).toEqual(["3"]);
  expect(found("x")).toEqual([]);
});
