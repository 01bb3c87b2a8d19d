/** The service worker, in a world made up of a cache and a network. */

import { readFileSync } from "node:fs";

import { beforeEach, expect, it } from "vitest";

const ORIGIN = "https://here";

interface Event {
  readonly request?: { readonly url: string; readonly method: string; readonly mode?: string };
  readonly data?: unknown;
  readonly notification?: { readonly data: unknown; close(): void };
}

class World {
  readonly kept = new Map<string, Response>();
  readonly fetched: string[] = [];
  readonly said: unknown[] = [];
  readonly opened: string[] = [];
  pages: { url: string; focused: boolean }[] = [];
  isOffline = false;
  readonly #handlers = new Map<string, (event: object) => void>();

  constructor() {
    const pathOf = (request: string | { url: string }) =>
      new URL(typeof request === "string" ? request : request.url, ORIGIN).pathname;
    const cache = {
      put: async (request: string, response: Response) => void this.kept.set(pathOf(request), response),
      keys: async () => [...this.kept.keys()].map((path) => ({ url: ORIGIN + path })),
      delete: async (request: { url: string }) => this.kept.delete(pathOf(request)),
    };
    const caches = {
      open: async () => cache,
      match: async (request: string) => this.kept.get(pathOf(request))?.clone(),
    };
    const fetcher = async (request: string) => {
      this.fetched.push(pathOf(request));
      if (this.isOffline) throw new TypeError("network");
      return new Response("new");
    };
    const self = {
      location: { origin: ORIGIN },
      addEventListener: (name: string, handler: (event: object) => void) => this.#handlers.set(name, handler),
      skipWaiting: () => undefined,
      clients: {
        matchAll: async () =>
          this.pages.map((page) => ({
            url: page.url,
            postMessage: (said: unknown) => this.said.push(said),
            focus: () => (page.focused = true),
          })),
        openWindow: (path: string) => this.opened.push(path),
      },
    };
    const code = readFileSync(new URL("../public/sw.js", import.meta.url), "utf8");
    new Function("self", "caches", "fetch", code)(self, caches, fetcher);
  }

  /** What the worker answers; undefined: it leaves it to the network. */
  async happen(name: string, event: Event): Promise<Response | undefined> {
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
}

let world: World;
beforeEach(() => {
  world = new World();
});

it("opens the page without a network when it was open before", async () => {
  await world.get("/", "navigate");
  world.isOffline = true;
  expect(await (await world.get("/", "navigate"))?.text()).toBe("new");
});

it("asks for the page first, for its parts only once", async () => {
  for (const path of ["/assets/a-1.js", "/assets/a-1.js"]) await world.get(path);
  for (const path of ["/", "/"]) await world.get(path, "navigate");
  expect(world.fetched).toEqual(["/assets/a-1.js", "/", "/"]);
});

it("leaves everything else alone", async () => {
  for (const path of ["/v1/units", "/v1/media/ab", "/v1/session", "/metrics"]) {
    expect(await world.get(path)).toBeUndefined();
  }
  expect(await world.get("/admin", "navigate")).toBeUndefined();
  expect(world.kept.size).toBe(0);
});

it("keeps what a first visit had loaded, and nothing but the page's own", async () => {
  const paths = ["/", "/assets/a-1.js", "/v1/media/ab", "https://elsewhere/assets/x.js"];
  await world.happen("message", { data: { is: "keep", paths } });
  expect([...world.kept.keys()]).toEqual(["/", "/assets/a-1.js"]);
});

it("forgets parts of former versions, not the page", async () => {
  await world.get("/", "navigate");
  for (let number = 0; number < 130; number++) await world.get(`/assets/${number}.js`);
  expect(world.kept.has("/")).toBe(true);
  expect(world.kept.has("/assets/0.js")).toBe(false);
  expect(world.kept.size).toBe(121);
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
