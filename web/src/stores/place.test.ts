// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { formatPlace, parsePlace } from "./place";

it.each(["#/chats", "#/chats/42963095946514", "#/chats/20001/info", "#/settings/look"])(
  "%s is read and written alike",
  (hash) => {
    expect(formatPlace(parsePlace(hash))).toBe(hash);
  },
);

it("what is not understood leads to the list of conversations", () => {
  expect(parsePlace("#/nowhere/7")).toEqual({ section: "chats", id: "", panel: "" });
  expect(parsePlace("")).toEqual({ section: "chats", id: "", panel: "" });
  expect(parsePlace("#/chats/abc/info")).toEqual({ section: "chats", id: "", panel: "" });
});
