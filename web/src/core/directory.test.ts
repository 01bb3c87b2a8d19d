import { afterEach, expect, it, vi } from "vitest";

import { Directory, parseWays } from "./directory";
import { ErrorCode } from "./errors";

const LISTING = {
  units: [{ websocket: "ws://one:1/ws", tcp: "tinyqq://one:7001" }, { tcp: "tinyqq://two:7001" }, { websocket: "wss://three/ws" }],
  ttl_s: 15,
  wait_ms: 40,
};

/** Answers with what the test has set last. */
function answering(): { listing: unknown; fetch: typeof fetch } {
  const answers = {
    listing: LISTING as unknown,
    fetch: async () => {
      if (answers.listing === undefined) throw new TypeError("network");
      return new Response(JSON.stringify(answers.listing));
    },
  };
  return answers;
}

afterEach(() => {
  vi.useRealTimers();
});

it("takes the units in the directory's order, and the time to wait", () => {
  expect(parseWays(LISTING, "http://one:1")).toEqual({
    urls: ["ws://one:1/ws", "wss://three/ws"],
    waitMs: 40,
  });
});

it("leaves out what a page that came over TLS may not open", () => {
  expect(parseWays(LISTING, "https://one").urls).toEqual(["wss://three/ws"]);
});

it("never waits longer than two minutes, whatever it is told", () => {
  expect(parseWays({ units: [], wait_ms: 1e9 }, "http://one").waitMs).toBe(120_000);
});

it("goes to the page's own unit when none is listed", async () => {
  const answers = answering();
  answers.listing = { units: [] };
  const directory = new Directory("http://host:7080", answers.fetch);
  expect((await directory.ways()).urls).toEqual(["ws://host:7080/ws"]);
});

it("remembers the units when the page's own is gone", async () => {
  const answers = answering();
  const directory = new Directory("http://one:1", answers.fetch);
  await directory.ways();
  answers.listing = undefined;
  expect((await directory.ways()).urls).toEqual(["ws://one:1/ws", "wss://three/ws"]);
  expect(directory.hasOthers).toBe(true);
});

it("tries those last that have just failed", async () => {
  const directory = new Directory("http://one:1", answering().fetch);
  directory.avoid("ws://one:1/ws");
  expect((await directory.ways()).urls).toEqual(["wss://three/ws", "ws://one:1/ws"]);
});

it("says that there is no way when it never knew one", async () => {
  const answers = answering();
  for (const listing of [undefined, "nothing", { units: 7 }]) {
    answers.listing = listing;
    const directory = new Directory("http://one:1", answers.fetch);
    await expect(directory.ways()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  }
});

it("remembers the units for the next visit, and where their pages are", async () => {
  const kept = new Map<string, string>();
  const memory = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  };
  const answers = answering();
  await new Directory("http://one:1", answers.fetch, memory).ways();
  answers.listing = undefined;
  const later = new Directory("http://one:1", answers.fetch, memory);
  expect((await later.ways()).urls).toEqual(["ws://one:1/ws", "wss://three/ws"]);
  expect(later.otherPages).toEqual(["https://three"]);
  kept.set("tinyqq.units", "{");
  await expect(new Directory("http://one:1", answers.fetch, memory).ways()).rejects.toMatchObject({
    code: ErrorCode.CONNECTION_LOST,
  });
});

it("has asked already when that was prepared a moment ago, and once only", async () => {
  vi.useFakeTimers();
  const answers = answering();
  const fetcher = vi.fn(answers.fetch);
  const directory = new Directory("http://one:1", fetcher);
  directory.prepare();
  directory.prepare();
  expect(await directory.ways()).toEqual(parseWays(LISTING, "http://one:1"));
  expect(fetcher).toHaveBeenCalledTimes(1);
  directory.prepare();
  await vi.advanceTimersByTimeAsync(6_000);
  await directory.ways();
  await directory.ways();
  expect(fetcher).toHaveBeenCalledTimes(4);
});

it("asks again when what was prepared has failed", async () => {
  const answers = answering();
  const directory = new Directory("http://one:1", answers.fetch);
  answers.listing = undefined;
  directory.prepare();
  await Promise.resolve();
  answers.listing = LISTING;
  expect((await directory.ways()).urls).toHaveLength(2);
});

it("asks another unit when the page's own node does not answer, and not more than two", async () => {
  const units = ["one:1", "two:2", "three:3", "four:4"].map((host) => ({ websocket: `ws://${host}/ws` }));
  const away = new Set<string>();
  const asked: string[] = [];
  const fetcher = async (url: string | URL | Request) => {
    const { host } = new URL(String(url));
    asked.push(host);
    if (away.has(host)) throw new TypeError("network");
    return new Response(JSON.stringify({ units, wait_ms: 5 }));
  };
  const directory = new Directory("http://one:1", fetcher);
  await directory.ways();
  units.push({ websocket: "ws://five:5/ws" });
  directory.avoid("ws://two:2/ws");
  away.add("one:1").add("three:3");
  const { urls, waitMs } = await directory.ways();
  expect(asked.splice(0)).toEqual(["one:1", "one:1", "three:3", "four:4"]);
  expect([urls.includes("ws://five:5/ws"), waitMs]).toEqual([true, 5]);
  away.add("four:4");
  expect((await directory.ways()).waitMs).toBe(0);
  expect(asked).toEqual(["one:1", "three:3", "four:4"]);
});
