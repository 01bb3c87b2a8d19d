/** Which stretches of a conversation are known: ascending, disjoint, never touching. Pure. */

/** Both ends included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** *spans* and the stretch `from … to`; an empty stretch adds nothing. */
export function withSpan(spans: readonly Span[], from: number, to: number): readonly Span[] {
  if (from > to) return spans;
  const before = spans.filter((span) => span.to < from - 1);
  const after = spans.filter((span) => span.from > to + 1);
  const touching = spans.filter((span) => span.to >= from - 1 && span.from <= to + 1);
  const merged = {
    from: Math.min(from, ...touching.map((span) => span.from)),
    to: Math.max(to, ...touching.map((span) => span.to)),
  };
  return [...before, merged, ...after];
}

/** The stretch that holds *seq*. */
export function spanAt(spans: readonly Span[], seq: number): Span | undefined {
  return spans.find((span) => span.from <= seq && seq <= span.to);
}
