import { describe, expect, it } from "vitest";
import { createI18n } from "vue-i18n";

import { flatten, placesIn } from "../../tests/texts";
import { TEXTS as ADMIN } from "../admin/texts";
import { en } from "./en";
import { toMessages, type TextTree } from "./messages";
import { zh } from "./zh";

/** One translator that reads texts our way, and one that reads them the library's way. */
function readers(texts: TextTree) {
  return [toMessages(texts), texts].map((messages) => {
    const { global } = createI18n<false>({ legacy: false, locale: "en", messages: { en: messages as never } });
    return (key: string, named: Record<string, unknown>, count?: number): string =>
      count === undefined ? global.t(key, named) : global.t(key, named, count);
  });
}

describe("a text", () => {
  const say = (text: string, named = {}, count?: number): string | undefined =>
    readers({ text })[0]?.("text", named, count);

  it("is said as it stands", () => {
    expect(say("说：{'@'}所有人")).toBe("说：@所有人");
  });

  it("is filled in, whatever the values hold", () => {
    expect(say("{who}: {text}!", { who: "{text} | {'x'}", text: 3 })).toBe("{text} | {'x'}: 3!");
  });

  it("leaves a place empty that nothing fills", () => {
    expect(say("[{name}]")).toBe("[]");
  });

  it.each([
    [0, "0 people"],
    [1, "1 person"],
    [2, "2 people"],
  ])("has its form for %i", (count, said) => {
    expect(say("{n} person | {n} people", {}, count)).toBe(said);
  });
});

describe.each([
  ["zh", { ...zh, admin: ADMIN.zh }],
  ["en", { ...en, admin: ADMIN.en }],
])("the texts of the page in %s", (_, tree) => {
  it.each([undefined, 0, 1, 2])("are said of %s as the library would say them", (count) => {
    const [ours, theirs] = readers(tree).map((say) =>
      [...flatten(tree)].map(([key, text]) => {
        const named = Object.fromEntries(placesIn(text).map((place) => [place.slice(1, -1), `<${place}>`]));
        return [key, say(key, named, count)];
      }),
    );
    expect(ours).toEqual(theirs);
  });
});
