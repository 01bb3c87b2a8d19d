/** Figures as people read them. */

import { useI18n } from "vue-i18n";

import { short } from "./chart";

export interface Words {
  /** `12`, `3.4`, `1.2k` */
  readonly number: (value: number) => string;
  /** "3 min": the largest unit alone. */
  readonly duration: (ms: number) => string;
  /** Of seconds, in milliseconds. */
  readonly milliseconds: (seconds: number) => string;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

export function useWords(): Words {
  const { t } = useI18n();
  return {
    number: short,
    duration(ms) {
      const [name, size] = UNITS.find(([, size]) => ms >= size) ?? ["s", 1000];
      return t(`admin.duration.${name}`, { n: Math.max(0, Math.floor(ms / size)) });
    },
    milliseconds: (seconds) => `${short(seconds * 1000)} ${t("admin.chart.ms")}`,
  };
}
