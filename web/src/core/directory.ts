/** Where to connect: `GET /v1/units`. */

import { ChatError, ErrorCode } from "./errors";

/** What the directory answered: WebSocket URLs, the best first, and how long to wait before. */
export interface Ways {
  readonly urls: readonly string[];
  readonly waitMs: number;
}

const TIMEOUT_MS = 10_000;
/** The same where units are known from before. */
const SHORT_TIMEOUT_MS = 3_000;
/** How many other units are asked when the page's own node does not answer. */
const MAX_OTHERS = 2;
const REMEMBERED = "tinyqq.units";
const MAX_WAIT_MS = 120_000;
/** How long an answer that was asked for ahead holds. */
const FRESH_MS = 5_000;
/** A unit that failed or sent one away is the last choice for so long. */
const AVOID_MS = 10_000;

/** The WebSocket of the unit that the page came from. */
function ownWebSocket(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/ws`;
}

/** Where a unit has its pages, and its files, by its WebSocket. */
export function pageOf(url: string): string {
  return url.replace(/^ws/, "http").replace(/\/ws$/, "");
}

/**
 * The directory's JSON.
 *
 * @param origin of the page.
 * @throws TypeError it is something else.
 */
export function parseWays(answer: unknown, origin: string): Ways {
  const { units, wait_ms: waitMs = 0 } = answer as {
    readonly units: readonly { readonly websocket?: unknown }[];
    readonly wait_ms?: unknown;
  };
  // A page that came over TLS cannot open anything else.
  const scheme = origin.startsWith("https:") ? /^wss:/ : /^wss?:/;
  const urls = units
    .map((unit) => unit.websocket)
    .filter((url): url is string => typeof url === "string" && scheme.test(url));
  const isWait = typeof waitMs === "number" && waitMs > 0;
  return { urls, waitMs: isWait ? Math.min(waitMs, MAX_WAIT_MS) : 0 };
}

/** Finds ways; when the node that the page came from is gone, another unit tells them, and when none
 * does they are those that were told before. */
export class Directory {
  #last: readonly string[] = [];
  #prepared: { readonly atMs: number; readonly ways: Promise<Ways | undefined> } | undefined;
  readonly #avoided = new Map<string, number>();
  readonly #origin: string;
  readonly #fetch: typeof fetch;
  readonly #memory: Pick<Storage, "getItem" | "setItem"> | undefined;

  /** @param memory keeps the units for the next visit: the node of the page may be gone then. */
  constructor(
    origin: string,
    fetcher: typeof fetch,
    memory?: Pick<Storage, "getItem" | "setItem">,
  ) {
    this.#origin = origin;
    this.#fetch = fetcher;
    this.#memory = memory;
    this.#last = this.#remembered();
  }

  /** Whether there are units besides the one that the page came from. */
  get hasOthers(): boolean {
    return this.#last.length > 1;
  }

  /** Where other units have their pages. */
  get otherPages(): readonly string[] {
    return this.#last.map(pageOf).filter((page) => page !== this.#origin);
  }

  /** Ask already now for what {@link ways} will answer next. */
  prepare(): void {
    const nowMs = performance.now();
    if (this.#prepared !== undefined && nowMs - this.#prepared.atMs < FRESH_MS) return;
    this.#prepared = { atMs: nowMs, ways: this.#ask().catch(() => undefined) };
  }

  /** The units that take log-ins. @throws ChatError CONNECTION_LOST: none is known. */
  async ways(): Promise<Ways> {
    try {
      const { ways: prepared, atMs = -Infinity } = this.#prepared ?? {};
      this.#prepared = undefined;
      const isFresh = performance.now() - atMs < FRESH_MS;
      const ways = (isFresh && (await prepared)) || (await this.#ask());
      this.#last = ways.urls;
      this.#memory?.setItem(REMEMBERED, JSON.stringify(ways.urls));
      const urls = ways.urls.length > 0 ? ways.urls : [ownWebSocket(this.#origin)];
      return { urls: this.#sorted(urls), waitMs: ways.waitMs };
    } catch {
      if (this.#last.length === 0) throw new ChatError(ErrorCode.CONNECTION_LOST);
      return { urls: this.#sorted(this.#last), waitMs: 0 };
    }
  }

  /** Its unit is leaving, or has failed: for a while others are tried first. */
  avoid(url: string): void {
    this.#avoided.set(url, performance.now() + AVOID_MS);
  }

  #sorted(urls: readonly string[]): readonly string[] {
    const nowMs = performance.now();
    const isAvoided = (url: string) => Number((this.#avoided.get(url) ?? 0) > nowMs);
    return urls.toSorted((one, other) => isAvoided(one) - isAvoided(other));
  }

  #remembered(): readonly string[] {
    try {
      const urls: unknown = JSON.parse(this.#memory?.getItem(REMEMBERED) ?? "[]");
      if (!Array.isArray(urls)) return [];
      return parseWays({ units: urls.map((websocket: unknown) => ({ websocket })) }, this.#origin).urls;
    } catch {
      return [];
    }
  }

  async #ask(): Promise<Ways> {
    const others = this.#sorted(this.#last)
      .map(pageOf)
      .filter((page) => page !== this.#origin)
      .slice(0, MAX_OTHERS);
    for (const page of [this.#origin, ...others]) {
      const ways = await this.#askAt(page).catch(() => undefined);
      if (ways !== undefined) return ways;
    }
    throw new TypeError("no directory");
  }

  async #askAt(page: string): Promise<Ways> {
    const fetcher = this.#fetch;
    const signal = AbortSignal.timeout(this.#last.length > 1 ? SHORT_TIMEOUT_MS : TIMEOUT_MS);
    const answer = await fetcher(`${page}/v1/units`, { signal });
    if (!answer.ok) throw new TypeError("no directory");
    return parseWays(await answer.json(), this.#origin);
  }
}
