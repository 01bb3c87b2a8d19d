/** The colours of lines: told apart on light and dark paper, and by most who see few colours. */

const COLOURS = [
  "light-dark(#1f66d1, #6ea4f7)",
  "light-dark(#c2571a, #f0975a)",
  "light-dark(#1f8a5b, #4cc38a)",
  "light-dark(#8a4bbd, #c08df0)",
  "light-dark(#b3265f, #f07aa8)",
  "light-dark(#0f7f8c, #4cc4d1)",
  "light-dark(#7a6a12, #d6c04b)",
  "light-dark(#4d5563, #aab3c0)",
] as const;

/** The same node has the same one as long as nobody comes before it. */
export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? COLOURS[0];
}
