// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { createPinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createApp } from "vue";

import type { Account, ChatClient, ChatEvents, Connection, Contact } from "../core/api";
import { Emitter } from "../core/emitter";
import { ChatError, ErrorCode } from "../core/errors";
import Avatar from "../ui/parts/Avatar.vue";
import { mountPage } from "../../tests/mounting";
import { clientKey } from "./client";
import { usePeople } from "./people";

it("shows another name and picture as soon as it is told", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10002", name: "x" });
  vi.spyOn(client, "fetchFile").mockResolvedValue(new Blob(["x"], { type: "image/png" }));
  const people = usePeople();
  await vi.waitUntil(() => people.isLoaded);
  client.events.emit("profileChanged", { userId: "10002", nickname: "新名字", avatar: "ab" });
  await flushPromises();
  expect(people.nameOf("10002")).toBe("新名字");
  expect(people.contacts.get("10002")?.nickname).toBe("新名字");
  await vi.waitFor(() => expect(wrapper.find("img").exists()).toBe(true));
});

it("asks for nobody's profile who is among the contacts", async () => {
  const { client } = await mountPage(Avatar, { id: "10001", name: "x" });
  const people = usePeople();
  await vi.waitUntil(() => people.isLoaded);
  const profile = vi.spyOn(client, "profile");
  people.nameOf("10002");
  people.faceOf("10002");
  expect(profile).not.toHaveBeenCalled();
});

it("asks for a picture again when the connection is back", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10002", name: "x" });
  const fetchFile = vi.spyOn(client, "fetchFile");
  fetchFile.mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST));
  fetchFile.mockResolvedValue(new Blob(["x"], { type: "image/png" }));
  usePeople().learn([{ userId: "10002", nickname: "x", avatar: "ab" }]);
  await flushPromises();
  expect(wrapper.find("img").exists()).toBe(false);
  client.events.emit("connection", { state: "online", unitId: "two", isSyncing: false });
  await flushPromises();
  await vi.waitFor(() => expect(wrapper.find("img").exists()).toBe(true));
});

it("asks for one's own name and picture again when the connection is back", async () => {
  const { client } = await mountPage(Avatar, { id: "10001", name: "x" });
  const people = usePeople();
  await vi.waitUntil(() => people.isLoaded && people.profiles.has("10001"));
  const profile = await client.profile("10001");
  vi.spyOn(client, "profile").mockResolvedValue({ ...profile, avatar: "cd" });
  client.events.emit("connection", { state: "online", unitId: "two", isSyncing: true });
  await vi.waitFor(() => expect(people.faceOf("10001")?.avatar).toBe("cd"));
});

const BOB = { userId: "10002", nickname: "Bob", isFriend: true, online: true, lastSeenAtMs: 0 } as Contact;

describe("presence", () => {
  let events: Emitter<ChatEvents>;
  let people: ReturnType<typeof usePeople>;
  let answers: ((contacts: Contact[]) => void)[];
  const contacts = vi.fn(() => new Promise<Contact[]>((resolve) => answers.push(resolve)));

  beforeEach(() => {
    events = new Emitter();
    answers = [];
    contacts.mockClear();
    const client = {
      account: { userId: "10001", nickname: "Ann" } as Account,
      connection: { state: "online" } as Connection,
      on: events.on.bind(events),
      contacts,
    };
    const app = createApp({});
    app.use(createPinia());
    app.provide(clientKey, client as unknown as ChatClient);
    people = app.runWithContext(() => usePeople());
  });

  const isOnline = () => people.contacts.get(BOB.userId)?.online;
  const up = () => events.emit("connection", { state: "online", unitId: "two", isSyncing: true });
  const synced = () => events.emit("connection", { state: "online", unitId: "two", isSyncing: false });

  /** The oldest question is answered. */
  async function answer(online: boolean): Promise<void> {
    answers.shift()?.([{ ...BOB, online }]);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  it("is asked for on every new connection", async () => {
    await answer(true);
    up();
    synced();
    expect(contacts).toHaveBeenCalledTimes(2);
    await answer(false);
    expect(isOnline()).toBe(false);
  });

  it("is asked for once at the start, where the question waits for the connection", async () => {
    up();
    synced();
    await answer(true);
    expect(contacts).toHaveBeenCalledTimes(1);
  });

  it("is asked for again when the connection changes before the answer", async () => {
    await answer(true);
    up();
    up();
    await answer(true);
    await answer(false);
    expect([contacts.mock.calls.length, isOnline()]).toEqual([3, false]);
  });

  it("is what was told last, also while the answer was on its way", async () => {
    await answer(true);
    events.emit("presence", { userId: BOB.userId, online: false, lastSeenAtMs: 1 });
    up();
    events.emit("presence", { userId: BOB.userId, online: false, lastSeenAtMs: 7 });
    await answer(true);
    expect(people.contacts.get(BOB.userId)).toMatchObject({ online: false, lastSeenAtMs: 7 });
    up();
    await answer(true);
    expect(isOnline()).toBe(true);
  });
});
