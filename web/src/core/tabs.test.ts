import { afterEach, expect, it, vi } from "vitest";

import { DemoClient } from "../demo/client";
import type { ChatClient } from "./api";
import type { Candidate, Election } from "./election";
import { ChatError, ErrorCode } from "./errors";
import { openTabs } from "./tabs";

/** Decides as the test says. */
class Appointed implements Election {
  candidate: Candidate | undefined;

  start(candidate: Candidate): void {
    this.candidate = candidate;
  }

  stop(): void {
    this.candidate = undefined;
  }
}

class TestTab {
  readonly election = new Appointed();
  readonly channel = new BroadcastChannel("tabs-test");
  readonly real: DemoClient[] = [];
  readonly client: ChatClient;

  constructor(readonly name: string) {
    this.client = openTabs({
      election: this.election,
      channel: this.channel,
      tab: name,
      open: () => {
        const client = new DemoClient({ delayMs: 0, isLoggedIn: true, answers: false });
        this.real.push(client);
        return client;
      },
    });
  }
}

const tabs: TestTab[] = [];

function openTab(name: string): TestTab {
  const tab = new TestTab(name);
  tabs.push(tab);
  return tab;
}

afterEach(() => {
  for (const tab of tabs.splice(0)) {
    tab.client.close();
    tab.channel.close();
  }
});

const isOnline = (client: ChatClient) =>
  vi.waitFor(() => expect(client.connection.state).toBe("online"));

it("asks the tab that leads, and hears what happens there", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  follower.election.candidate?.follow();
  expect((await follower.client.resume())?.userId).toBe("10001");
  await isOnline(follower.client);
  const seen: string[] = [];
  follower.client.on("entries", (event) => seen.push(event.entries[0]?.key ?? ""));
  const chat = follower.client.conversationWith("10002");
  const message = await follower.client.send(chat, { text: "hi" });
  await vi.waitFor(() => expect(seen).toContain(message.key));
  const page = await follower.client.history(chat, { at: "end" }, 2);
  expect(page.entries.at(-1)?.key).toBe(message.key);
  expect(follower.real).toHaveLength(0);
});

it("answers a second tab's start with who is here, without starting again", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  await leader.client.resume();
  await isOnline(leader.client);
  const resume = vi.spyOn(leader.real[0] as DemoClient, "resume");
  follower.election.candidate?.follow();
  expect((await follower.client.resume())?.userId).toBe("10001");
  expect(resume).not.toHaveBeenCalled();
});

it("tells errors across tabs as what they are", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  follower.election.candidate?.follow();
  const refused = follower.client.logIn("10001", "wrong-password");
  await expect(refused).rejects.toBeInstanceOf(ChatError);
  await expect(refused).rejects.toMatchObject({ code: ErrorCode.BAD_CREDENTIALS });
});

it("takes over what is logged in when the leader is gone, and asks again what only reads", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  follower.election.candidate?.follow();
  await follower.client.resume();
  await isOnline(follower.client);
  // It is gone without a word, and with it what it was asked last.
  leader.channel.close();
  const groups = follower.client.groups();
  const recall = follower.client.recall("20001", 1);
  follower.election.candidate?.lead();
  await expect(recall).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  expect((await groups).length).toBeGreaterThan(0);
  await vi.waitFor(() => expect(follower.real[0]?.account?.userId).toBe("10001"));
});

it("sends a message under an id of its own, by which a repeat is known", async () => {
  const tab = openTab("a");
  tab.election.candidate?.lead();
  await tab.client.resume();
  const send = vi.spyOn(tab.real[0] as DemoClient, "send");
  for (const text of ["one", "two"]) await tab.client.send("20001", { text });
  const ids = send.mock.calls.map((values: readonly unknown[]) => String(values[2]));
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(2);
});

it("lets go of the socket when another tab leads", async () => {
  const [first, second] = [openTab("a"), openTab("b")];
  first.election.candidate?.lead();
  const close = vi.spyOn(first.real[0] as DemoClient, "close");
  second.election.candidate?.lead();
  first.election.candidate?.follow();
  expect(close).toHaveBeenCalled();
  expect((await first.client.resume())?.userId).toBe("10001");
  expect(second.real[0]?.account?.userId).toBe("10001");
});

it("leaves to the tab that leads now what failed because it did not before", async () => {
  const [first, second] = [openTab("a"), openTab("b")];
  first.election.candidate?.lead();
  await first.client.resume();
  let fail: (error: ChatError) => void = () => undefined;
  const failing = new Promise<never>((_, reject) => (fail = reject));
  vi.spyOn(first.real[0] as DemoClient, "groups").mockReturnValue(failing);
  vi.spyOn(first.real[0] as DemoClient, "recall").mockReturnValue(failing);
  const groups = first.client.groups();
  const recall = first.client.recall("20001", 1);
  first.election.candidate?.follow();
  fail(new ChatError(ErrorCode.NOT_LOGGED_IN));
  await expect(recall).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
  second.election.candidate?.lead();
  await second.client.resume();
  expect((await groups).length).toBeGreaterThan(0);
});

it("has files sent and fetched by the tab that leads, under an id by which a repeat is known", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  follower.election.candidate?.follow();
  await follower.client.resume();
  const sendFile = vi.spyOn(leader.real[0] as DemoClient, "sendFile");
  const message = await follower.client.sendFile("20001", new Blob(["abc"]), "abc.txt");
  const given: readonly unknown[] = sendFile.mock.calls[0] ?? [];
  expect(given.slice(2)).toEqual(["abc.txt", undefined, expect.stringMatching(/^[0-9a-f]{32}$/)]);
  const blobId = message.content.media?.blobId ?? "";
  const file = await follower.client.fetchFile({ is: "file", blobId });
  expect(await file.text()).toBe("abc");
});

it("says a draft again to the next leader, and fails at nothing that nobody waits for", async () => {
  const [leader, follower] = [openTab("a"), openTab("b")];
  leader.election.candidate?.lead();
  follower.election.candidate?.follow();
  await follower.client.resume();
  await isOnline(follower.client);
  const told = vi.spyOn(DemoClient.prototype, "setDraft");
  const failing = vi.spyOn(DemoClient.prototype, "markRead").mockImplementation(() => {
    throw new ChatError(ErrorCode.CONNECTION_LOST);
  });
  const chat = follower.client.conversationWith("10002");
  leader.channel.close();
  follower.client.setDraft(chat, "half of it");
  expect(follower.client.markRead(chat, 1)).toBeUndefined();
  follower.election.candidate?.lead();
  await vi.waitFor(() => expect(told).toHaveBeenCalledWith(chat, "half of it"));
  await vi.waitFor(() => expect(failing).toHaveBeenCalled());
  vi.restoreAllMocks();
});
