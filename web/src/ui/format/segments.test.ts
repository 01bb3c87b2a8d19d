import { describe, expect, it } from "vitest";

import { cutText, isOnlyEmoji } from "./segments";

function links(text: string): string[] {
  return cutText(text).flatMap((one) => (one.is === "link" ? [one.text] : []));
}

describe("cutText", () => {
  it("loses nothing", () => {
    const text = "看 https://example.org/a?b=c#d，还有 @小满 @一凡\n第二行";
    const joined = cutText(text, ["小满"]).map((one) => one.text).join("");
    expect(joined).toBe(text);
  });

  it.each([
    ["看https://example.org/a，好", ["https://example.org/a"]],
    ["(https://example.org/a).", ["https://example.org/a"]],
    ["https://example.org/a_(b)", ["https://example.org/a_(b)"]],
    ["https://example.org。后面", ["https://example.org"]],
    ["http://one.example http://two.example!", ["http://one.example", "http://two.example"]],
  ])("finds the links of %s", (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "https://", "xhttps://example.org"])(
    "makes no link of %s",
    (text) => {
      expect(links(text)).toEqual([]);
    },
  );

  it("marks only the names of those who are mentioned, the longest first", () => {
    const found = cutText("@小满满 @小满 @别人", ["小满", "小满满"]);
    expect(found.filter((one) => one.is === "mention").map((one) => one.text)).toEqual(["@小满满", "@小满"]);
  });

  it("leaves markup as the text that it is", () => {
    expect(cutText("<b>x</b>")).toEqual([{ is: "text", text: "<b>x</b>" }]);
  });
});

describe("isOnlyEmoji", () => {
  it.each(["😀", "😂😂😂", "👍🏽", "👨‍👩‍👧", "❤️", "🇨🇳"])("%s is", (text) => {
    expect(isOnlyEmoji(text)).toBe(true);
  });

  it.each(["", "嗯", "好 👌", "12", "😂😂😂😂"])("%s is not", (text) => {
    expect(isOnlyEmoji(text)).toBe(false);
  });
});
