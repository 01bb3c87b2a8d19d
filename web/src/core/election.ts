/**
 * Which of the tabs of one browser holds the socket.
 *
 * With Web Locks the first does, and the next in line when it is gone. On plain http from another
 * machine there are none: there the newest tab does, and the others learn it over their channel.
 */

export interface Candidate {
  /** This tab has the socket from now on. */
  lead(): void;
  /** Another one has. */
  follow(): void;
}

export interface Election {
  /** Begin; `lead` or `follow` is called soon, and again at every change. */
  start(candidate: Candidate): void;
  /** This tab is gone. Idempotent. */
  stop(): void;
}

/** For a browser that has no channels between tabs: every tab for itself. */
export class Alone implements Election {
  start(candidate: Candidate): void {
    candidate.lead();
  }

  stop(): void {
    // Nobody takes over.
  }
}

/** By Web Locks: whoever holds the lock leads, until the tab is gone. */
export class LockElection implements Election {
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #leaving = new AbortController();
  #release: () => void = () => undefined;

  constructor(locks: LockManager, name: string) {
    this.#locks = locks;
    this.#name = name;
  }

  start(candidate: Candidate): void {
    void this.#locks.request(this.#name, { ifAvailable: true }, (lock) => {
      if (lock !== null) return this.#hold(candidate);
      candidate.follow();
      void this.#queue(candidate);
      return undefined;
    });
  }

  stop(): void {
    this.#leaving.abort();
    this.#release();
  }

  async #queue(candidate: Candidate): Promise<void> {
    const { signal } = this.#leaving;
    try {
      await this.#locks.request(this.#name, { signal }, () => this.#hold(candidate));
    } catch {
      // Gone before it was this tab's turn.
    }
  }

  #hold(candidate: Candidate): Promise<void> {
    if (this.#leaving.signal.aborted) return Promise.resolve();
    candidate.lead();
    return new Promise((resolve) => (this.#release = resolve));
  }
}

/** Said between tabs by {@link TalkElection}; the greater claim wins. */
interface Claim {
  readonly is: "claim" | "alive" | "bye";
  readonly atMs: number;
  readonly tab: string;
}

const ALIVE_EVERY_MS = 2_000;
const SILENCE_MS = 7_000;
/** Those who are left do not claim all at once. */
const CHANCE_MS = 300;

/** By talking: a tab that comes claims the lead, and the one that had it follows. */
export class TalkElection implements Election {
  readonly #channel: BroadcastChannel;
  readonly #tab: string;
  #candidate: Candidate | undefined;
  /** The claim that holds; one's own while leading. */
  #holder: Claim;
  #heardMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #claimTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param tab tells this tab from others. */
  constructor(channel: BroadcastChannel, tab: string) {
    this.#channel = channel;
    this.#tab = tab;
    this.#holder = { is: "claim", atMs: 0, tab: "" };
  }

  start(candidate: Candidate): void {
    this.#candidate = candidate;
    this.#channel.addEventListener("message", this.#onMessage);
    this.#timer = setInterval(() => this.#tick(), ALIVE_EVERY_MS);
    this.#claim();
  }

  stop(): void {
    if (this.#candidate === undefined) return;
    if (this.#leads) this.#say("bye");
    this.#candidate = undefined;
    this.#channel.removeEventListener("message", this.#onMessage);
    clearInterval(this.#timer);
    clearTimeout(this.#claimTimer);
  }

  get #leads(): boolean {
    return this.#holder.tab === this.#tab;
  }

  readonly #onMessage = (event: MessageEvent<unknown>): void => {
    const said = event.data as Partial<Claim>;
    if (said.is !== "claim" && said.is !== "alive" && said.is !== "bye") return;
    const { is, atMs = 0, tab = "" } = said;
    if (is === "bye") {
      if (tab === this.#holder.tab) this.#claimSoon();
      return;
    }
    this.#hear({ is, atMs, tab });
  };

  #hear(claim: Claim): void {
    if (!isGreater(claim, this.#holder)) {
      // Somebody who does not know who leads: tell them.
      if (this.#leads && claim.tab !== this.#holder.tab) this.#say("alive");
      else if (claim.tab === this.#holder.tab) this.#heardMs = Date.now();
      return;
    }
    this.#holder = claim;
    this.#heardMs = Date.now();
    clearTimeout(this.#claimTimer);
    this.#candidate?.follow();
  }

  #tick(): void {
    if (this.#leads) this.#say("alive");
    else if (Date.now() - this.#heardMs > SILENCE_MS) this.#claimSoon();
  }

  #claimSoon(): void {
    clearTimeout(this.#claimTimer);
    this.#claimTimer = setTimeout(() => this.#claim(), Math.random() * CHANCE_MS);
  }

  #claim(): void {
    const atMs = Math.max(Date.now(), this.#holder.atMs + 1);
    this.#holder = { is: "claim", atMs, tab: this.#tab };
    this.#say("claim");
    this.#candidate?.lead();
  }

  #say(is: Claim["is"]): void {
    this.#channel.postMessage({ ...this.#holder, is });
  }
}

function isGreater(one: Claim, other: Claim): boolean {
  return one.atMs > other.atMs || (one.atMs === other.atMs && one.tab > other.tab);
}
