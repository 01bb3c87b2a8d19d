/** What the person chose for this browser: language, theme, notifications. */

import { defineStore } from "pinia";
import { ref, watch } from "vue";

export const LANGUAGES = ["zh", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "tinyqq.preferences";

interface Stored {
  readonly language?: Language;
  readonly theme?: Theme;
  readonly notifies?: boolean;
}

/** The first language of the browser that the page has; English where there is none. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((one) => tag.toLowerCase().startsWith(one));
    if (found !== undefined) return found;
  }
  return "en";
}

/** What was stored; nothing where storage is forbidden or holds something else. */
function load(): Stored {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof stored === "object" && stored !== null ? stored : {};
  } catch {
    return {};
  }
}

function save(stored: Stored): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(stored));
  } catch {
    // Private windows may forbid it; the choice then lasts as long as the page.
  }
}

export const usePreferences = defineStore("preferences", () => {
  const stored = load();
  const language = ref<Language>(
    LANGUAGES.find((one) => one === stored.language) ?? languageOf(navigator.languages),
  );
  const theme = ref<Theme>(THEMES.find((one) => one === stored.theme) ?? "system");
  const notifies = ref(stored.notifies === true);

  watch([language, theme, notifies], () => {
    save({ language: language.value, theme: theme.value, notifies: notifies.value });
  });
  watch(
    theme,
    (now) => {
      if (now === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = now;
    },
    { immediate: true },
  );

  return { language, theme, notifies };
});
