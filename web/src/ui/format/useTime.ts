/** Times in the person's language, kept true while the page is open. */

import { onScopeDispose, ref, type Ref } from "vue";

import { usePreferences } from "../../stores/preferences";
import { ago, clockTime, dayName, fullTime, shortTime } from "./time";

/** A clock that ticks once a minute: "yesterday" must not stay "today" over night. */
export function useNow(): Ref<number> {
  const now = ref(Date.now());
  const timer = setInterval(() => {
    now.value = Date.now();
  }, 60_000);
  onScopeDispose(() => clearInterval(timer));
  return now;
}

export function useTime(): Readonly<
  Record<"ago" | "clock" | "day" | "full" | "short", (ms: number) => string>
> {
  const preferences = usePreferences();
  const now = useNow();
  return {
    ago: (ms) => ago(ms, now.value, preferences.language),
    clock: (ms) => clockTime(ms, preferences.language),
    day: (ms) => dayName(ms, now.value, preferences.language),
    full: (ms) => fullTime(ms, preferences.language),
    short: (ms) => shortTime(ms, now.value, preferences.language),
  };
}
