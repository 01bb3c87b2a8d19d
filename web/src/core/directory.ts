/** Where to connect: `GET /v1/units`. */

import { ChatError, ErrorCode } from "./errors";

/** What the directory answered: WebSocket URLs, the best first, and how long to wait before. */
export interface Ways {
  readonly urls: readonly string[];
  readonly waitMs: number;
}

const TIMEOUT_MS = 10_000;

/** The WebSocket of the unit that the page came from. */
export function ownWebSocket(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/ws`;
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
  return { urls, waitMs: typeof waitMs === "number" && waitMs > 0 ? waitMs : 0 };
}

/** Finds ways; when the node that the page came from is gone, those that it told of before. */
export class Directory {
  #last: readonly string[] = [];
  readonly #origin: string;
  readonly #fetch: typeof fetch;

  constructor(origin: string, fetcher: typeof fetch) {
    this.#origin = origin;
    this.#fetch = fetcher;
  }

  /** Whether there are units besides the one that the page came from. */
  get hasOthers(): boolean {
    return this.#last.length > 1;
  }

  /** The units that take log-ins. @throws ChatError CONNECTION_LOST: none is known. */
  async ways(): Promise<Ways> {
    try {
      const ways = await this.#ask();
      this.#last = ways.urls;
      const urls = ways.urls.length > 0 ? ways.urls : [ownWebSocket(this.#origin)];
      return { urls, waitMs: ways.waitMs };
    } catch {
      if (this.#last.length === 0) throw new ChatError(ErrorCode.CONNECTION_LOST);
      return { urls: this.#last, waitMs: 0 };
    }
  }

  async #ask(): Promise<Ways> {
    const fetcher = this.#fetch;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetcher(`${this.#origin}/v1/units`, { signal });
    if (!answer.ok) throw new TypeError("no directory");
    return parseWays(await answer.json(), this.#origin);
  }
}
