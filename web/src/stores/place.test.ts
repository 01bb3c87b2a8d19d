// @vitest-environment happy-dom
import { createPinia } from "pinia";
import { expect, it } from "vitest";

import { formatPlace, parsePlace, usePlace } from "./place";

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

it("goes on only from where it was asked to", () => {
  const place = usePlace(createPinia());
  place.go("groups", "create");
  const here = place.place;
  place.go("contacts");
  place.goOn(here, "chats", "20001");
  expect(place.section).toBe("contacts");
  place.goOn(place.place, "chats", "20001");
  expect(place.conversationId).toBe("20001");
});
