/** What a browser gives the core, for Node: cookies, memory, and stores that survive a reload. */

import { RealChatClient, type Surroundings } from "../../src/core/real";
import { MemoryStore, type Store } from "../../src/core/store";
import type { ChatClient, ChatEvents, Connection } from "../../src/core/api";

/** One browser profile: pages that are opened in it share everything. */
export class Browser {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();
  readonly #memory = new Map<string, string>();
  readonly #stores = new Map<string, Store>();
  /** The next answer with a file breaks off after so many bytes. */
  cutAfterBytes: number | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  open(): RealChatClient {
    return new RealChatClient(this.#surroundings());
  }

  #surroundings(): Surroundings {
    const memory = this.#memory;
    return {
      origin: this.#origin,
      fetch: (input, init) => this.#fetch(String(input), init),
      language: "zh-CN",
      deviceName: "Node",
      agent: "tinyqq-web/test",
      memory: {
        getItem: (name) => memory.get(name) ?? null,
        setItem: (name, value) => void memory.set(name, value),
        removeItem: (name) => void memory.delete(name),
      },
      openStore: (userId) => {
        const store = this.#stores.get(userId) ?? new MemoryStore();
        this.#stores.set(userId, store);
        return store;
      },
    };
  }

  async #fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(init.headers as Record<string, string>), Origin: this.#origin, Cookie: cookie };
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const [name = "", value = ""] = pair.split("=");
      if (/max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const cutAfterBytes = this.cutAfterBytes;
    if (cutAfterBytes === undefined || !url.includes("/v1/media/")) return response;
    this.cutAfterBytes = undefined;
    return new Response(response.body?.pipeThrough(breakAfter(cutAfterBytes)), response);
  }
}

function breakAfter(leftBytes: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform: (piece, stream) => {
      if (leftBytes <= 0) throw new TypeError("network");
      stream.enqueue(piece.slice(0, leftBytes));
      leftBytes -= piece.length;
    },
  });
}

/** The next event of a name that *matches*. */
export function next<Name extends keyof ChatEvents>(
  client: ChatClient,
  name: Name,
  matches: (event: ChatEvents[Name]) => boolean = () => true,
): Promise<ChatEvents[Name]> {
  return new Promise((resolve) => {
    const end = client.on(name, (event) => {
      if (!matches(event)) return;
      end();
      resolve(event);
    });
  });
}

/** Resolves when the client is in a state; at once if it is. */
export async function until(client: ChatClient, is: (state: Connection) => boolean): Promise<void> {
  if (!is(client.connection)) await next(client, "connection", is);
}

export const isReady = (state: Connection): boolean => state.state === "online" && !state.isSyncing;
