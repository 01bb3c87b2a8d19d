/** The core against a real server: two people talk, and bad things happen meanwhile. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { messageState, type Conversation, type Entry, type Message } from "../../src/core/api";
import type { RealChatClient } from "../../src/core/real";
import { Browser, isReady, next, until } from "./browser";
import { PYTHON, Server } from "./server";

const PASSWORD = "correct horse battery";

describe.skipIf(!PYTHON)("RealChatClient", () => {
  const server = new Server();
  const open: RealChatClient[] = [];

  beforeAll(async () => {
    await server.start();
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });
  afterAll(() => server.destroy());

  function openIn(browser: Browser): RealChatClient {
    const client = browser.open();
    open.push(client);
    return client;
  }

  /** Somebody new, logged in. */
  async function newcomer(nickname: string): Promise<{ browser: Browser; client: RealChatClient; id: string }> {
    const browser = new Browser(server.origin);
    const client = openIn(browser);
    const { userId } = await client.register(nickname, PASSWORD);
    await client.logIn(userId, PASSWORD);
    await until(client, isReady);
    return { browser, client, id: userId };
  }

  async function friends() {
    const ann = await newcomer("安安");
    const bob = await newcomer("Bob");
    await ann.client.requestFriend(bob.id, "你好");
    await bob.client.answerFriend(ann.id, true);
    return { ann, bob, chat: ann.client.conversationWith(bob.id) };
  }

  const hasText = (text: string) => (event: { readonly entries: readonly Entry[] }) =>
    event.entries.some((one) => one.is === "message" && one.content.text === text);

  const isSent = (event: { readonly entries: readonly Entry[] }) =>
    event.entries.some((one) => one.is === "message" && one.state === "sent");

  it("takes a message from one to the other, and its marks back", async () => {
    const { ann, bob, chat } = await friends();
    const arrived = next(bob.client, "entries", hasText("你好 👋"));
    const sent = next(ann.client, "entries", isSent);
    const message = await ann.client.send(chat, { text: "你好 👋" });
    expect(message.state).toBe("sending");
    expect((await sent).entries[0]?.key).toBe(message.key);
    const seq = (await arrived).entries[0]?.seq ?? 0;
    expect((await arrived).isFresh).toBe(true);

    const isRead = (one: Conversation) => one.conversationId === chat && one.peerReadSeq === seq;
    const read = next(ann.client, "conversations", (event) => event.some(isRead));
    bob.client.markRead(chat, seq);
    const conversation = (await read).find(isRead);
    const page = await ann.client.history(chat, { at: "end" });
    const own = page.entries.find((one) => one.key === message.key) as Message;
    if (conversation === undefined) throw new Error("no conversation");
    expect(messageState(own, conversation)).toBe("read");
  });

  it("refuses a wrong password by its code", async () => {
    const ann = await newcomer("安安");
    const client = openIn(new Browser(server.origin));
    await expect(client.logIn(ann.id, "not the password")).rejects.toMatchObject({
      codeName: "BAD_CREDENTIALS",
    });
  });

  it("comes back after a reload by the cookie, with the list at once", async () => {
    const { ann, bob, chat } = await friends();
    const arrived = next(ann.client, "entries", hasText("one"));
    await bob.client.send(chat, { text: "one" });
    await arrived;
    ann.client.close();
    await bob.client.send(chat, { text: "two" });

    const again = openIn(ann.browser);
    const missed = next(again, "entries", hasText("two"));
    const account = await again.resume();
    expect(account?.userId).toBe(ann.id);
    const listed = await again.conversations();
    expect(listed.some((one) => one.conversationId === chat)).toBe(true);
    await missed;
    await until(again, isReady);
    const conversation = (await again.conversations()).find((one) => one.conversationId === chat);
    expect(conversation?.unread).toBe(2);
    const page = await again.history(chat, { at: "end" });
    const texts = page.entries.flatMap((one) => (one.is === "message" ? [one.content.text] : []));
    expect(texts).toEqual(["one", "two"]);
  });

  it("keeps what was written while the server was away, in order and once", async () => {
    const { ann, bob, chat } = await friends();
    await server.kill();
    await until(ann.client, (state) => state.state === "waiting");
    const texts = ["一", "二", "三", "四", "五"];
    for (const text of texts) await ann.client.send(chat, { text });
    ann.client.close();
    const again = openIn(ann.browser);
    await again.resume();
    const page = await again.history(chat, { at: "end" });
    expect(page.entries.filter((one) => one.is === "message" && one.state === "sending")).toHaveLength(5);

    const last = next(bob.client, "entries", hasText("五"));
    await server.start();
    for (const one of [again, bob.client]) one.reconnect();
    await last;
    const seen = await bob.client.history(chat, { at: "end" });
    const got = seen.entries.flatMap((one) => (one.is === "message" ? [one.content.text] : []));
    expect(got).toEqual(texts);
  });

  it("reads a long conversation from any point", async () => {
    const { ann, bob, chat } = await friends();
    const last = next(bob.client, "entries", hasText("#300"));
    for (let number = 1; number <= 300; number++) await ann.client.send(chat, { text: `#${number}` });
    await last;
    const fresh = openIn(new Browser(server.origin));
    await fresh.logIn(bob.id, PASSWORD);
    await until(fresh, isReady);
    const textsOf = (entries: readonly Entry[]) =>
      entries.flatMap((one) => (one.is === "message" ? [one.content.text] : []));
    const end = await fresh.history(chat, { at: "end" }, 20);
    expect(textsOf(end.entries).at(-1)).toBe("#300");
    expect([end.hasOlder, end.hasNewer]).toEqual([true, false]);
    const oldest = end.entries[0]?.seq ?? 0;
    const older = await fresh.history(chat, { at: "before", seq: oldest }, 20);
    expect(older.entries.at(-1)?.seq).toBe(oldest - 1);
    const middle = await fresh.history(chat, { at: "around", seq: 150 }, 20);
    const seqs = middle.entries.map((one) => one.seq);
    expect(seqs).toContain(150);
    expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
    expect(new Set(seqs).size).toBe(seqs.length);
    const newest = middle.entries.at(-1)?.seq ?? 0;
    const newer = await fresh.history(chat, { at: "after", seq: newest }, 20);
    expect(newer.entries[0]?.seq).toBe(newest + 1);
    const first = await fresh.history(chat, { at: "before", seq: 10 }, 50);
    expect(first.hasOlder).toBe(false);
  });

  it("takes a message back for both, and still knows one's own words", async () => {
    const { ann, bob, chat } = await friends();
    const arrived = next(bob.client, "entries", hasText("oops"));
    const sent = next(ann.client, "entries", isSent);
    const message = await ann.client.send(chat, { text: "oops" });
    // The other may have it before one's own device knows that it was taken.
    await sent;
    const seq = (await arrived).entries[0]?.seq ?? 0;
    const isRecalled = (one: Entry) => one.kind === 64;
    const theirs = next(bob.client, "entries", (event) => event.entries.some(isRecalled));
    const own = next(ann.client, "entries", (event) => event.entries.some(isRecalled));
    await ann.client.recall(chat, seq);
    expect(((await theirs).entries[0] as Message).content.text).toBe("");
    expect((await own).entries[0]).toMatchObject({ key: message.key, recalledText: "oops" });
  });

  it("keeps a refused message as failed, with the reason", async () => {
    const ann = await newcomer("安安");
    const bob = await newcomer("Bob");
    const chat = ann.client.conversationWith(bob.id);
    const failed = next(ann.client, "entries", (event) =>
      event.entries.some((one) => one.is === "message" && one.state === "failed"),
    );
    const message = await ann.client.send(chat, { text: "hi" });
    const entry = (await failed).entries[0] as Message;
    expect(entry.error?.codeName).toBe("NOT_FRIENDS");
    const gone = next(ann.client, "entryRemoved");
    await ann.client.discard(chat, message.key);
    expect((await gone).key).toBe(message.key);
  });

  it("is kicked when another browser logs in, and does not come back by itself", async () => {
    const ann = await newcomer("安安");
    const other = openIn(new Browser(server.origin));
    await other.logIn(ann.id, PASSWORD);
    await until(ann.client, (state) => state.state === "kicked");
    expect(ann.client.connection).toMatchObject({ reason: "replaced" });
    await until(other, isReady);
  });

  it("makes a group, where everybody sees what is said and who is mentioned", async () => {
    const { ann, bob } = await friends();
    const groupId = await ann.client.createGroup("爬山", "open", []);
    expect(await bob.client.joinGroup(groupId, "")).toBe(true);
    const members = await ann.client.members(groupId);
    expect(members.map((one) => one.role).toSorted()).toEqual(["member", "owner"]);
    const isMentioned = (one: Conversation) => one.isMentioned;
    const listed = next(bob.client, "conversations", (event) => event.some(isMentioned));
    await ann.client.send(groupId, { text: "@Bob 来吗", mentions: [bob.id] });
    const conversation = (await listed).find(isMentioned);
    expect(conversation).toMatchObject({ type: "group", groupId, unread: 1 });
    const isNamed = (one: Conversation) => one.name === "爬山";
    if (!(await bob.client.conversations()).some(isNamed)) {
      await next(bob.client, "conversations", (event) => event.some(isNamed));
    }
  });

  it("tells an admin that another one has answered at the group's door", async () => {
    const { ann, bob } = await friends();
    const eve = await newcomer("Eve");
    const groupId = await ann.client.createGroup("星期五", "approval", [bob.id]);
    await bob.client.answerJoin(groupId, bob.id, true);
    await ann.client.setRole(groupId, bob.id, "admin");
    const atDoor = () => next(bob.client, "joinRequestsChanged", (event) => event.groupId === groupId);
    const asked = atDoor();
    await eve.client.joinGroup(groupId, "我是 Eve");
    await asked;
    expect((await bob.client.joinRequests(groupId)).map((one) => one.userId)).toEqual([eve.id]);
    const answered = atDoor();
    await ann.client.answerJoin(groupId, eve.id, false);
    await answered;
    expect(await bob.client.joinRequests(groupId)).toEqual([]);
  });

  it("forgets everything when it logs out", async () => {
    const { browser, client } = await newcomer("安安");
    await client.logOut();
    expect(client.account).toBeNull();
    const again = openIn(browser);
    expect(await again.resume()).toBeNull();
  });
});
