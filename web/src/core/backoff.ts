/** Exponential backoff with jitter, so that clients of a restarted server do not come at once. */
export class Backoff {
  #ceilingMs: number;

  constructor(
    private readonly random: () => number = Math.random,
    private readonly firstMs = 250,
    private readonly limitMs = 30_000,
  ) {
    this.#ceilingMs = firstMs;
  }

  /** The next delay: jittered between half its ceiling and all of it, and never shorter than what
   * the server asked for. */
  nextMs(atLeastMs = 0): number {
    const delayMs = this.#ceilingMs * (0.5 + this.random() / 2);
    this.#ceilingMs = Math.min(this.limitMs, this.#ceilingMs * 2);
    return atLeastMs + delayMs;
  }

  /** It works again: the next trouble starts with a short delay. */
  reset(): void {
    this.#ceilingMs = this.firstMs;
  }
}
