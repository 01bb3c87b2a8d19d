/** The service worker, in a world made up of a cache and a network. */

import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { withParts } from "../kept_parts";

const ORIGIN = "https://here";
const CODE = readFileSync(new URL("../public/sw.js", import.meta.url), "utf8");

type Asked = string | { readonly url: string };

/** The real one takes no relative addresses here. */
class FakeRequest {
  constructor(readonly url: string) {}
}

function pathOf(request: Asked): string {
  return new URL(typeof request === "string" ? request : request.url, ORIGIN).pathname;
}

interface Event {
  readonly request?: { readonly url: string; readonly method: string; readonly mode?: string };
  readonly notification?: { readonly data: unknown; close(): void };
}

/** What a browser has of one server: its caches outlive every worker. */
class World {
  readonly caches = new Map<string, Map<string, Response>>();
  readonly fetched: string[] = [];
  readonly said: unknown[] = [];
  readonly opened: string[] = [];
  pages: { url: string; focused: boolean }[] = [];
  /** What the server answers, by path; without: the network is away. */
  served: ReadonlyMap<string, string> | undefined = new Map(
    ["/", "/assets/a-1.js", "/assets/b-1.js"].map((path) => [path, `one ${path}`]),
  );
  isSilent = false;
  #handlers = new Map<string, (event: object) => void>();

  /** A worker of a version of the page starts. */
  start(version: string, parts: readonly string[]): void {
    const code = withParts(CODE, version, parts);
    this.#handlers = new Map();
    const self = {
      location: { origin: ORIGIN },
      addEventListener: (name: string, handler: (event: object) => void) => this.#handlers.set(name, handler),
      clients: {
        claim: async () => undefined,
        matchAll: async () =>
          this.pages.map((page) => ({
            url: page.url,
            postMessage: (said: unknown) => this.said.push(said),
            focus: () => (page.focused = true),
          })),
        openWindow: (path: string) => this.opened.push(path),
      },
    };
    const names = ["self", "caches", "fetch", "Request"];
    const world = [self, this.#storage(), (request: Asked) => this.#fetch(request), FakeRequest];
    new Function(...names, code)(...world);
  }

  #storage(): object {
    const { caches } = this;
    return {
      open: async (name: string) => {
        const cache = caches.get(name) ?? new Map<string, Response>();
        caches.set(name, cache);
        return {
          addAll: async (requests: readonly Asked[]) => {
            const answers = await Promise.all(requests.map((one) => this.#fetch(one)));
            if (answers.some((one) => !one.ok)) throw new TypeError("not all");
            answers.forEach((one, at) => cache.set(pathOf(requests[at] ?? ""), one));
          },
          match: async (request: Asked) => cache.get(pathOf(request))?.clone(),
        };
      },
      keys: async () => [...caches.keys()],
      delete: async (name: string) => caches.delete(name),
      match: async (request: Asked) =>
        [...caches.values()].map((cache) => cache.get(pathOf(request))).find(Boolean)?.clone(),
    };
  }

  async #fetch(request: Asked): Promise<Response> {
    const path = pathOf(request);
    this.fetched.push(path);
    if (this.isSilent) return new Promise(() => undefined);
    if (this.served === undefined) throw new TypeError("network");
    const text = this.served.get(path);
    return new Response(text ?? "", { status: text === undefined ? 404 : 200 });
  }

  /** What the worker answers; undefined: it leaves it to the network. */
  async happen(name: string, event: Event = {}): Promise<Response | undefined> {
    let answer: Promise<Response> | undefined;
    const waiting: Promise<unknown>[] = [];
    this.#handlers.get(name)?.({
      ...event,
      respondWith: (response: Promise<Response>) => (answer = response),
      waitUntil: (work: Promise<unknown>) => waiting.push(work),
    });
    const response = await answer;
    await Promise.all(waiting);
    return response;
  }

  get(path: string, mode = "cors"): Promise<Response | undefined> {
    return this.happen("fetch", { request: { url: ORIGIN + path, method: "GET", mode } });
  }

  async textOf(path: string): Promise<string | undefined> {
    return (await this.get(path, path === "/" ? "navigate" : "cors"))?.text();
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  world.start("one", ["assets/a-1.js", "assets/b-1.js"]);
  await world.happen("install");
  await world.happen("activate");
});

afterEach(() => {
  vi.useRealTimers();
});

it("opens the whole page without a network after the first visit", async () => {
  world.served = undefined;
  expect(await world.textOf("/")).toBe("one /");
  expect(await world.textOf("/assets/b-1.js")).toBe("one /assets/b-1.js");
});

it("asks for the page first, and never again for what it keeps", async () => {
  world.fetched.length = 0;
  world.served = new Map([["/", "newer"]]);
  expect(await world.textOf("/")).toBe("newer");
  await world.get("/assets/a-1.js");
  expect(world.fetched).toEqual(["/"]);
});

it("shows the page that it keeps when the server is silent", async () => {
  vi.useFakeTimers();
  world.isSilent = true;
  const shown = world.textOf("/");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await shown).toBe("one /");
});

it("leaves everything else alone", async () => {
  for (const path of ["/v1/units", "/v1/media/ab", "/v1/session", "/metrics"]) {
    expect(await world.get(path)).toBeUndefined();
  }
  expect(await world.get("/admin", "navigate")).toBeUndefined();
});

it("is not installed when a part is missing", async () => {
  world.start("two", ["assets/missing.js"]);
  await expect(world.happen("install")).rejects.toThrow("not all");
});

it("keeps the parts of tabs that are open until the next version takes over", async () => {
  world.served = new Map([["/", "two"], ["/assets/a-2.js", "two"]]);
  world.start("two", ["assets/a-2.js"]);
  await world.happen("install");
  world.served = undefined;
  expect(await world.textOf("/assets/a-1.js")).toBe("one /assets/a-1.js");
  expect(await world.textOf("/assets/a-2.js")).toBe("two");
  await world.happen("activate");
  expect(world.caches.size).toBe(1);
  expect(await world.textOf("/")).toBe("two");
  expect(await world.get("/assets/a-1.js").catch(() => undefined)).toBeUndefined();
});

it("brings whoever clicks a notice to the conversation", async () => {
  const notification = { data: { conversationId: "20001" }, close: () => undefined };
  await world.happen("notificationclick", { notification });
  expect(world.opened).toEqual(["/#/chats/20001"]);
  world.pages = [{ url: `${ORIGIN}/admin`, focused: false }, { url: `${ORIGIN}/#/contacts`, focused: false }];
  await world.happen("notificationclick", { notification });
  expect(world.said).toEqual([{ is: "open", conversationId: "20001" }]);
  expect(world.pages.map((one) => one.focused)).toEqual([false, true]);
});
