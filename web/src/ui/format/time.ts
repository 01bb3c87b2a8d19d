/** Times as people read them. "Now" and the language are arguments; the time zone is the machine's. */

import type { Language } from "../../stores/preferences";

const LOCALES: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en-GB" };
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A format, and what it last said: rows that stand together often have the same minute. */
interface Format {
  readonly format: Intl.DateTimeFormat;
  unit: number;
  text: string;
}

const formats = new Map<string, Format>();

/** Making a format takes far longer than using it. */
function format(language: Language, options: Intl.DateTimeFormatOptions, ms: number): string {
  const key = language + JSON.stringify(options);
  let known = formats.get(key);
  if (known === undefined) {
    known = { format: new Intl.DateTimeFormat(LOCALES[language], options), unit: NaN, text: "" };
    formats.set(key, known);
  }
  const unit = Math.floor(ms / (options.second === undefined ? MINUTE_MS : 1_000));
  if (unit !== known.unit) {
    known.text = known.format.format(ms);
    known.unit = unit;
  }
  return known.text;
}

/** The day that was asked for last: most questions are about the same. */
let lastDay = { from: 0, to: 0 };

/** Midnight at the start of the day, on this machine's clock. */
export function dayStart(ms: number): number {
  if (ms < lastDay.from || ms >= lastDay.to) {
    const date = new Date(ms);
    const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
    lastDay = {
      from: new Date(year, month, day).getTime(),
      to: new Date(year, month, day + 1).getTime(),
    };
  }
  return lastDay.from;
}

/** Whole days from one to the other by the calendar; robust against days of 23 and 25 hours. */
export function daysBetween(fromMs: number, toMs: number): number {
  return Math.round((dayStart(toMs) - dayStart(fromMs)) / DAY_MS);
}

/** `14:03` */
export function clockTime(ms: number, language: Language): string {
  return format(language, { hour: "2-digit", minute: "2-digit", hour12: false }, ms);
}

/** `14:03:27` */
export function exactTime(ms: number, language: Language): string {
  return format(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }, ms);
}

/** "今天" / "Today", "昨天" / "Yesterday". */
function nearDay(days: number, language: Language): string {
  const word = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto" }).format(-days, "day");
  return word.charAt(0).toLocaleUpperCase() + word.slice(1);
}

/** The line between two days. */
export function dayName(ms: number, nowMs: number, language: Language): string {
  const days = daysBetween(ms, nowMs);
  if (days === 0 || days === 1) return nearDay(days, language);
  const isThisYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  const date = { month: "long", day: "numeric", weekday: "long" } as const;
  return format(language, isThisYear ? date : { ...date, year: "numeric" }, ms);
}

/** As short as possible, for the conversation list: a time today, then a day, then a date. */
export function shortTime(ms: number, nowMs: number, language: Language): string {
  if (ms === 0) return "";
  const days = daysBetween(ms, nowMs);
  if (days <= 0) return clockTime(ms, language);
  if (days === 1) return nearDay(days, language);
  if (days < 7) return format(language, { weekday: language === "zh" ? "long" : "short" }, ms);
  const isThisYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  const date = { month: language === "zh" ? "numeric" : "short", day: "numeric" } as const;
  return format(language, isThisYear ? date : { ...date, year: "2-digit" }, ms);
}

/** Date and time, in full. */
export function fullTime(ms: number, language: Language): string {
  return format(language, { dateStyle: "medium", timeStyle: "short" }, ms);
}

export function fullDate(ms: number, language: Language): string {
  return format(language, { dateStyle: "medium" }, ms);
}

const JUST_NOW: Readonly<Record<Language, string>> = { zh: "刚刚", en: "just now" };

/** "just now", "3 minutes ago"; from a week on the date. */
export function ago(ms: number, nowMs: number, language: Language): string {
  const minutes = Math.max(0, Math.floor((nowMs - ms) / 60_000));
  if (minutes === 0) return JUST_NOW[language];
  const relative = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto" });
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 24 * 60) return relative.format(-Math.floor(minutes / 60), "hour");
  if (minutes < 7 * 24 * 60) return relative.format(-Math.floor(minutes / 1440), "day");
  return fullDate(ms, language);
}
