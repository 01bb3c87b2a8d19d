/** Avatars for those who have none: drawn from the number, so they are the same everywhere. */

export interface Portrait {
  readonly from: string;
  readonly to: string;
  /** A disc in a corner, so that equal initials in near colours are still told apart. */
  readonly disc: { readonly x: number; readonly y: number; readonly r: number };
  readonly initial: string;
}

const HUES = [255, 282, 310, 340, 8, 32, 58, 132, 158, 185, 210, 232] as const;

/** Spreads neighbouring numbers over the whole range (32 bits, not secret). */
function scatter(number: number): number {
  let mixed = (number ^ 0x9e3779b9) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The sign that stands for a name: its first letter or character, as people see characters. */
export function initialOf(name: string): string {
  const [first = ""] = new Intl.Segmenter().segment(name.replace(/^[^\p{L}\p{N}\p{Emoji}]+/u, ""));
  return typeof first === "string" ? "#" : first.segment.toLocaleUpperCase();
}

/** @param id the number of a user or group. */
export function drawPortrait(id: string, name: string): Portrait {
  const seed = scatter(Number(id) || 0);
  const hue = HUES[seed % HUES.length] ?? 232;
  const corner = (seed >>> 8) % 4;
  return {
    from: `oklch(0.6 0.105 ${hue})`,
    to: `oklch(0.5 0.115 ${(hue + 28) % 360})`,
    disc: {
      x: corner % 2 === 0 ? 4 : 36,
      y: corner < 2 ? 4 : 36,
      r: 13 + ((seed >>> 12) % 9),
    },
    initial: initialOf(name || id),
  };
}
