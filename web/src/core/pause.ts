/** Waiting for a time, or for whoever does not want to wait any longer. */

/** Resolves after *ms*, or at once when *signal* aborts; it leaves nothing on the signal. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

/** Wakes those who wait for something to change; each looks for itself whether it has. */
export class Bell {
  readonly #waking = new Set<AbortController>();

  /** Resolves when it rings next, or after *ms*. */
  async wait(ms: number): Promise<void> {
    const waking = new AbortController();
    this.#waking.add(waking);
    await pause(ms, waking.signal);
    this.#waking.delete(waking);
  }

  ring(): void {
    for (const waking of this.#waking) waking.abort();
  }
}
