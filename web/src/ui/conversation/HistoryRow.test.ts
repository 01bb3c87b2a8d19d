// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { defineComponent, h } from "vue";

import { ChatError, ErrorCode, Kind, type Conversation, type Message } from "../../core/api";
import { emptyConversation } from "../../core/api";
import { FRIEND, mountPage, type Mounted } from "../../../tests/mounting";
import HistoryRow from "./HistoryRow.vue";
import { makeRows, type ConversationIdentity, type Row } from "./rows";
import { useRowWords } from "./useRowWords";

function message(change: Partial<Message> = {}): Message {
  return {
    is: "message",
    key: "k",
    conversationId: FRIEND,
    seq: 5,
    kind: Kind.TEXT,
    senderId: "10001",
    isOwn: true,
    sentAtMs: Date.now(),
    content: { text: "hello", mentions: [], mentionsAll: false },
    state: "sent",
    ...change,
  };
}

async function show(
  change: Partial<Message>,
  conversation: Partial<Conversation> = {},
  readSeq?: number,
): Promise<Mounted> {
  const whole = { ...emptyConversation(FRIEND, "10001"), ...conversation };
  const [row] = makeRows([message(change)], { conversation: whole, readSeq, isShown: () => true });
  return mountPage(WithWords, { row, conversation: whole });
}

/** A row as the history holds it. */
const WithWords = defineComponent({
  props: ["row", "conversation"],
  setup(props: { row: Row; conversation: ConversationIdentity }) {
    const words = useRowWords(props.conversation);
    return () => h(HistoryRow, { ...props, words, isMarked: false });
  },
});

describe("a row of the history", () => {
  it.each([
    [{ state: "sending", seq: 0 }, {}, "Sending"],
    [{}, {}, "Sent"],
    [{}, { peerDeliveredSeq: 5 }, "Delivered"],
    [{}, { peerDeliveredSeq: 5, peerReadSeq: 5 }, "Read"],
  ] as const)("says how far a message got: %j %j", async (change, conversation, label) => {
    const { wrapper } = await show(change, conversation);
    expect(wrapper.get(".state").attributes("aria-label")).toBe(label);
  });

  it("says why a message failed, beside a button for what to do", async () => {
    const error = new ChatError(ErrorCode.NOT_FRIENDS);
    const { wrapper } = await show({ state: "failed", seq: 0, error });
    expect(wrapper.get(".why").text()).toContain("not friends");
    expect(wrapper.get(".failed").attributes("aria-haspopup")).toBe("menu");
  });

  it("leads to who wrote it, where somebody else begins", async () => {
    const { wrapper } = await show({ isOwn: false, senderId: "10002" });
    expect(wrapper.get(".face").attributes()).toMatchObject({
      href: "#/contacts/10002",
      "aria-label": "Profile of Ada",
    });
    expect((await show({})).wrapper.find(".face").exists()).toBe(false);
  });

  it("shows an emoji alone as large", async () => {
    const content = { text: "😀", mentions: [], mentionsAll: false };
    expect((await show({ content })).wrapper.get(".bubble").classes()).toContain("large");
    expect((await show({})).wrapper.get(".bubble").classes()).not.toContain("large");
  });

  it("shows the unread line before what is new only", async () => {
    const theirs = { isOwn: false, senderId: "10002" };
    expect((await show(theirs, {}, 4)).wrapper.find(".unread").exists()).toBe(true);
    expect((await show(theirs, {}, 5)).wrapper.find(".unread").exists()).toBe(false);
  });

  it("shows markup as text", async () => {
    const text = '<img src=x onerror="alert(1)"><b>bold</b> javascript:alert(1)';
    const { wrapper } = await show({ content: { text, mentions: [], mentionsAll: false } });
    expect(wrapper.get(".text").text()).toBe(text);
    expect(wrapper.find(".text img, .text b, .text a").exists()).toBe(false);
  });

  it("shows markup in a name that is mentioned as text", async () => {
    const text = "@<b>Mallory</b> hi";
    const { wrapper } = await show({ content: { text, mentions: ["10008"], mentionsAll: false } });
    expect(wrapper.get(".mention").text()).toBe("@<b>Mallory</b>");
    expect(wrapper.find(".mention b").exists()).toBe(false);
  });

  it("opens links elsewhere, without telling where from", async () => {
    const content = { text: "see https://example.org/a", mentions: [], mentionsAll: false };
    const link = (await show({ content })).wrapper.get("a");
    expect(link.attributes()).toMatchObject({ href: "https://example.org/a", target: "_blank" });
    expect(link.attributes("rel")).toContain("noreferrer");
  });

  it("is one line when it was recalled, with the words to edit again for oneself", async () => {
    const content = { text: "", mentions: [], mentionsAll: false };
    const { wrapper } = await show({ kind: Kind.RECALLED, content, recalledText: "hello" });
    expect(wrapper.get(".line").text()).toContain("You recalled a message");
    await wrapper.get(".line button").trigger("click");
    expect(wrapper.getComponent(HistoryRow).emitted("act")?.[0]?.[0]).toBe("editAgain");
  });

  it("does not believe the excerpt of a quote", async () => {
    const quote = { seq: 999, senderId: "10002", excerpt: "I owe you a million" };
    const { wrapper } = await show({ content: { text: "ok", mentions: [], mentionsAll: false, quote } });
    expect(wrapper.text()).not.toContain("million");
    expect(wrapper.get(".quote").text()).toContain("cannot be seen");
  });
});
