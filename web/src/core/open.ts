/** The client of a page in a browser. */

import type { ChatClient } from "./api";
import { Alone, LockElection, TalkElection, type Election } from "./election";
import { newId, toHex } from "./ids";
import { RealChatClient } from "./real";
import { MemoryStore, type Store } from "./store";
import { LaterStore } from "./store_later";
import { openTabs } from "./tabs";

const NAME = "tinyqq";
const AGENT = "tinyqq-web/1";

/** One client for all tabs of this browser that show this server. */
export function openChatClient(): ChatClient {
  const tab = toHex(newId());
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : undefined;
  const election = makeElection(channel, tab);
  const client = openTabs({ channel, election, tab, open: openReal });
  // A page that is kept for "back" must not keep the lead.
  window.addEventListener("pagehide", (event) => {
    if (!event.persisted) client.close();
  });
  window.addEventListener("online", () => client.reconnect());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.reconnect();
  });
  return client;
}

function makeElection(channel: BroadcastChannel | undefined, tab: string): Election {
  if (channel === undefined) return new Alone();
  // Missing on plain http from another machine, whatever the types say.
  const locks = navigator.locks as LockManager | undefined;
  return locks === undefined ? new TalkElection(channel, tab) : new LockElection(locks, NAME);
}

function openReal(): ChatClient {
  return new RealChatClient({
    origin: location.origin,
    fetch: (input, init) => fetch(input, init),
    language: navigator.language,
    deviceName: describeBrowser(navigator.userAgent),
    agent: AGENT,
    memory: localStorage,
    openStore,
  });
}

function openStore(userId: string): Store {
  if (!("indexedDB" in window)) return new MemoryStore();
  const name = `tinyqq-${userId}`;
  const open = async () => new (await import("./store_dexie")).DexieStore(name);
  return new LaterStore(open, isKept(name));
}

/** Whether there is such a database; where browsers do not say, there may be one. */
async function isKept(name: string): Promise<boolean> {
  try {
    return (await indexedDB.databases()).some((one) => one.name === name);
  } catch {
    return true;
  }
}

const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ["Edge", /Edg\//],
  ["Opera", /OPR\//],
  ["Firefox", /Firefox\//],
  ["Chrome", /Chrom(e|ium)\//],
  ["Safari", /Safari\//],
];
const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ["Android", /Android/],
  ["iPhone", /iPhone/],
  ["iPad", /iPad/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X/],
  ["Linux", /Linux/],
];

/** What the list of devices shows: "Firefox, Linux". */
export function describeBrowser(userAgent: string): string {
  const first = (names: typeof BROWSERS) =>
    names.find(([, pattern]) => pattern.test(userAgent))?.[0];
  return [first(BROWSERS), first(SYSTEMS)].filter((name) => name !== undefined).join(", ");
}
