/** How fast counters go, from one picture to the next. */

import type { Figures, Picture } from "./picture";

/** Per second. */
export interface LinkRates {
  readonly deliveries: number;
  readonly sends: number;
  readonly calls: number;
}

interface Seen {
  readonly incarnation: string;
  readonly figures: Figures;
}

/** Pictures come faster than figures change; two that are closer tell nothing. */
const SHORTEST_S = 0.5;
const NONE: LinkRates = { deliveries: 0, sends: 0, calls: 0 };

/** Counters start anew with a link, so one may be smaller than it was. */
function per(seconds: number, now: number, before: number): number {
  return (now >= before ? now - before : now) / seconds;
}

/**
 * Remembers what each start of a node told last. Times are the node's own, so that an answer that
 * came late does not look like a burst.
 */
export class RateMeter {
  #seen = new Map<string, Seen>();
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #links = new Map<string, Map<string, LinkRates>>();

  see(picture: Picture): void {
    const seen = new Map<string, Seen>();
    for (const { unit, incarnation, figures } of picture.nodes) {
      if (figures === null) continue;
      const before = this.#seen.get(unit);
      const isSame = before?.incarnation === incarnation;
      const seconds = isSame ? figures.up_s - before.figures.up_s : 0;
      if (isSame && seconds < SHORTEST_S) {
        seen.set(unit, before);
        continue;
      }
      seen.set(unit, { incarnation, figures });
      if (isSame) this.#measure(unit, seconds, figures, before.figures);
      else this.#forget(unit);
    }
    for (const unit of this.#seen.keys()) if (!seen.has(unit)) this.#forget(unit);
    this.#seen = seen;
  }

  /** Of a node's counter, per second; 0 while it is not known. */
  counter(unit: string, name: string): number {
    return this.#counters.get(unit)?.get(name) ?? 0;
  }

  /** What all others ask of a node: calls, and messages that it is to write. */
  asked(unit: string): number {
    const rates = [...this.#links.values()].map((links) => links.get(unit) ?? NONE);
    return rates.reduce((all, one) => all + one.calls + one.sends, 0);
  }

  /** Of one node's link to another. */
  link(from: string, to: string): LinkRates {
    return this.#links.get(from)?.get(to) ?? NONE;
  }

  #measure(unit: string, seconds: number, now: Figures, before: Figures): void {
    const counters = Object.entries(now.counters).map(
      ([name, value]) => [name, per(seconds, value, before.counters[name] ?? 0)] as const,
    );
    this.#counters.set(unit, new Map(counters));
    const links = now.links.map((link) => {
      const last = before.links.find((one) => one.to === link.to);
      const rates: LinkRates = {
        deliveries: per(seconds, link.deliveries, last?.deliveries ?? 0),
        sends: per(seconds, link.sends, last?.sends ?? 0),
        calls: per(seconds, link.calls, last?.calls ?? 0),
      };
      return [link.to, rates] as const;
    });
    this.#links.set(unit, new Map(links));
  }

  #forget(unit: string): void {
    this.#counters.delete(unit);
    this.#links.delete(unit);
  }
}
