/** Avatars for those who have none: drawn from the number, so they are the same everywhere. */

export interface Portrait {
  readonly from: string;
  readonly to: string;
  /** A disc in a corner, so that equal initials in near colours are still told apart; parts of the
   * whole. */
  readonly disc: { readonly x: number; readonly y: number; readonly r: number };
  readonly initial: string;
}

/** The golden angle: neighbouring numbers get hues far apart. */
const TURN_DEG = 137.508;
/** Making one takes far longer than using it. */
const signs = new Intl.Segmenter();

/** The sign that stands for a name: its first letter or character, as people see characters. */
export function initialOf(name: string): string {
  const [first = ""] = signs.segment(name.replace(/^[^\p{L}\p{N}\p{Emoji}]+/u, ""));
  return typeof first === "string" ? "#" : first.segment.toLocaleUpperCase();
}

/** @param id the number of a user or group. */
export function drawPortrait(id: string, name: string): Portrait {
  const number = Number(id) || 0;
  const hue = Math.round((number * TURN_DEG) % 360);
  const corner = number % 4;
  return {
    from: `oklch(0.6 0.105 ${hue})`,
    to: `oklch(0.5 0.115 ${(hue + 28) % 360})`,
    disc: {
      x: corner % 2 === 0 ? 0.1 : 0.9,
      y: corner < 2 ? 0.1 : 0.9,
      r: (13 + (number % 9)) / 40,
    },
    initial: initialOf(name || id),
  };
}
