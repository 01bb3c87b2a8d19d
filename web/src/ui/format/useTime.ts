/** Times in the person's language, true also while the page stays open. */

import { useClock } from "../../stores/clock";
import { usePreferences } from "../../stores/preferences";
import { ago, clockTime, dayName, fullDate, fullTime, shortTime } from "./time";

export function useTime(): Readonly<
  Record<"ago" | "clock" | "date" | "day" | "full" | "short", (ms: number) => string>
> {
  const preferences = usePreferences();
  const clock = useClock();
  return {
    ago: (ms) => ago(ms, clock.now, preferences.language),
    clock: (ms) => clockTime(ms, preferences.language),
    date: (ms) => fullDate(ms, preferences.language),
    day: (ms) => dayName(ms, clock.now, preferences.language),
    full: (ms) => fullTime(ms, preferences.language),
    short: (ms) => shortTime(ms, clock.now, preferences.language),
  };
}
