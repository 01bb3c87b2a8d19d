/** The last hour of every node, as lines of charts. */

/** What `/v1/admin/history` answers. */
export interface HistoryAnswer {
  /** The names of a sample's values, in their order. */
  readonly fields: readonly string[];
  readonly nodes: readonly {
    readonly unit: string;
    readonly incarnation: string;
    readonly samples: readonly (readonly number[])[];
  }[];
  /** Who did not answer. */
  readonly silent: readonly string[];
}

/** `high` and `worst` are the value itself where a measure has none. */
export type Point = readonly [atMs: number, value: number, high: number, worst: number];

/** One node's line. */
export interface Series {
  readonly unit: string;
  readonly points: readonly Point[];
}

const KEPT_MS = 3_600_000;

/** What a chart shows of a sample. */
export interface Measure {
  readonly field: string;
  /** What 99 of 100 do not exceed, and what nothing did. */
  readonly highField?: string;
  readonly worstField?: string;
  /** Divide by the length of the interval. */
  readonly isRate?: boolean;
  /** An interval in which nothing happened has no value. */
  readonly onlyWith?: string;
}

type Sample = Readonly<Record<string, number>>;

/**
 * Keeps what was collected, also of nodes that have died meanwhile. Samples may come several times.
 */
export class HistoryBook {
  readonly #units = new Map<string, Map<number, Sample>>();

  add(answer: HistoryAnswer): void {
    for (const { unit, samples } of answer.nodes) {
      const kept = this.#units.get(unit) ?? new Map<number, Sample>();
      for (const values of samples) {
        const sample = Object.fromEntries(answer.fields.map((name, index) => [name, values[index] ?? 0]));
        kept.set(sample.at_ms ?? 0, sample);
      }
      this.#units.set(unit, kept);
    }
    this.#trim();
  }

  /** One line for each node, by name; ascending in time, not before *sinceMs*. */
  series(measure: Measure, sinceMs = 0): readonly Series[] {
    return [...this.#units]
      .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([unit, samples]) => ({ unit, points: points(samples, measure, sinceMs) }));
  }

  /** When the oldest sample was taken; Infinity: there is none. */
  get oldestMs(): number {
    return Math.min(...[...this.#units.values()].flatMap((samples) => [...samples.keys()]));
  }

  /** When the newest sample was taken; 0: there is none. */
  get newestMs(): number {
    return Math.max(0, ...[...this.#units.values()].flatMap((samples) => [...samples.keys()]));
  }

  #trim(): void {
    const firstMs = this.newestMs - KEPT_MS;
    for (const [unit, samples] of this.#units) {
      for (const atMs of samples.keys()) if (atMs < firstMs) samples.delete(atMs);
      if (samples.size === 0) this.#units.delete(unit);
    }
  }
}

function points(samples: ReadonlyMap<number, Sample>, measure: Measure, sinceMs: number): Point[] {
  return [...samples.values()]
    .filter((one) => (one.at_ms ?? 0) >= sinceMs)
    .filter((one) => measure.onlyWith === undefined || (one[measure.onlyWith] ?? 0) > 0)
    .map((one): Point => {
      const value = one[measure.field] ?? 0;
      const shown = measure.isRate ? value / Math.max(one.seconds ?? 0, 0.001) : value;
      const beside = (name?: string): number => (name === undefined ? shown : (one[name] ?? 0));
      return [one.at_ms ?? 0, shown, beside(measure.highField), beside(measure.worstField)];
    })
    .sort(([a], [b]) => a - b);
}
