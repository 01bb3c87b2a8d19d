// @vitest-environment happy-dom
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, it } from "vitest";
import { nextTick } from "vue";

import { languageOf, usePreferences } from "./preferences";

beforeEach(() => {
  localStorage.clear();
  setActivePinia(createPinia());
});

it.each([
  [["zh-TW", "en"], "zh"],
  [["fr", "en-US"], "en"],
  [["fr"], "en"],
  [[], "en"],
])("%j is served in %s", (wanted, language) => {
  expect(languageOf(wanted)).toBe(language);
});

it("a choice outlasts the page", async () => {
  usePreferences().theme = "dark";
  await nextTick();
  setActivePinia(createPinia());
  expect(usePreferences().theme).toBe("dark");
  expect(document.documentElement.dataset.theme).toBe("dark");
});

it("following the system forces nothing", async () => {
  const preferences = usePreferences();
  preferences.theme = "light";
  await nextTick();
  preferences.theme = "system";
  await nextTick();
  expect(document.documentElement.dataset.theme).toBeUndefined();
});

it.each(["null", "[]", "{", '{"theme": "<x>"}'])("stored nonsense is ignored: %s", (stored) => {
  localStorage.setItem("tinyqq.preferences", stored);
  expect(usePreferences().theme).toBe("system");
});
