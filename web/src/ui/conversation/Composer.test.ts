// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";

import { ChatError, ErrorCode, emptyConversation, type Draft } from "../../core/api";
import { useGroups } from "../../stores/groups";
import { useToasts } from "../../stores/toasts";
import { FRIEND, GROUP, mountPage, type Mounted } from "../../../tests/mounting";
import Composer from "./Composer.vue";

interface Writing extends Mounted {
  readonly area: HTMLTextAreaElement;
  readonly sent: Draft[];
}

async function write(text: string, id = FRIEND, canUpload = false): Promise<Writing> {
  const props = { conversation: emptyConversation(id, "10001"), label: "Message" };
  const mounted = await mountPage(Composer, props, { canUpload });
  const sent: Draft[] = [];
  const send = mounted.client.send.bind(mounted.client);
  mounted.client.send = (conversationId, draft) => {
    sent.push(draft);
    return send(conversationId, draft);
  };
  const field = mounted.wrapper.get("textarea");
  await field.setValue(text);
  return { ...mounted, area: field.element, sent };
}

describe("Composer", () => {
  it("sends on Enter, and is empty after it", async () => {
    const { wrapper, area, sent } = await write("  你好 ");
    await wrapper.get("textarea").trigger("keydown", { key: "Enter" });
    await flushPromises();
    expect(sent.map((one) => one.text)).toEqual(["你好"]);
    expect(area.value).toBe("");
    expect(wrapper.emitted("sent")).toHaveLength(1);
  });

  it("does not send while an input method composes", async () => {
    const { wrapper, area, sent } = await write("nihao");
    await wrapper.get("textarea").trigger("keydown", { key: "Enter", isComposing: true });
    await wrapper.get("textarea").trigger("keydown", { key: "Enter", keyCode: 229 });
    expect(sent).toEqual([]);
    expect(area.value).toBe("nihao");
  });

  it("leaves Shift+Enter to the text", async () => {
    const { wrapper, sent } = await write("one");
    const event = new KeyboardEvent("keydown", { key: "Enter", shiftKey: true, cancelable: true });
    wrapper.get("textarea").element.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(sent).toEqual([]);
  });

  it("does not send nothing", async () => {
    const { wrapper, sent } = await write(" \n ");
    await wrapper.get("form").trigger("submit");
    expect(sent).toEqual([]);
    expect(wrapper.get(".send").attributes("disabled")).toBeDefined();
  });

  it("sends what it answers along, once", async () => {
    const { wrapper, sent } = await write("好");
    const quote = { seq: 3, senderId: "10002", excerpt: "?" };
    await wrapper.setProps({ quote });
    await wrapper.get("form").trigger("submit");
    expect(sent[0]?.quote).toEqual(quote);
  });

  it("completes a name after @ and says who is meant", async () => {
    const { wrapper, area, sent } = await write("", GROUP);
    await useGroups().loadMembers(GROUP);
    area.value = "@Gr";
    area.setSelectionRange(3, 3);
    await wrapper.get("textarea").trigger("input");
    expect(wrapper.findAll("[role=option]").map((one) => one.text())).toEqual([
      expect.stringContaining("Grace"),
    ]);
    await wrapper.get("textarea").trigger("keydown", { key: "Enter" });
    await flushPromises();
    expect(area.value).toBe("@Grace ");
    expect(sent).toEqual([]);
    await wrapper.get("form").trigger("submit");
    expect(sent[0]).toMatchObject({ text: "@Grace", mentions: ["10005"] });
  });

  it("keeps what is not sent as the draft when it is left", async () => {
    const { wrapper, client } = await write("half a thou");
    const setDraft = vi.spyOn(client, "setDraft");
    wrapper.unmount();
    expect(setDraft).toHaveBeenCalledWith(FRIEND, "half a thou");
  });

  it("offers files only where the server takes them", async () => {
    const without = await write("x");
    expect(without.wrapper.find("input[type=file]").exists()).toBe(false);
    without.wrapper.unmount();
    const having = await write("x", FRIEND, true);
    expect(having.wrapper.find("input[type=file]").exists()).toBe(true);
  });

  it("sends what is chosen, pasted files too, but tells at once of what is too large", async () => {
    const { wrapper, client } = await write("", FRIEND, true);
    client.fileLimits = async () => ({ maxBytes: 10, maxPictureBytes: 5 });
    const sendFile = vi.spyOn(client, "sendFile");
    const [small, large] = [new File(["abc"], "a.txt"), new File(["123456"], "b.png", { type: "image/png" })];
    await wrapper.get("textarea").trigger("paste", { clipboardData: { files: [small, large] } });
    await flushPromises();
    expect(useToasts().toasts.map((one) => one.text)).toEqual([expect.stringContaining("b.png")]);
    await wrapper.get("form").trigger("submit");
    await flushPromises();
    expect(sendFile.mock.calls.map(([, , name]) => name)).toEqual(["a.txt"]);
  });

  it("sends pictures as they are when that is wished, and asks anew the next time", async () => {
    const { wrapper, client } = await write("", FRIEND, true);
    const sendFile = vi.spyOn(client, "sendFile");
    const choose = async (name: string, type: string) => {
      await wrapper.get("textarea").trigger("paste", { clipboardData: { files: [new File(["abc"], name, { type })] } });
      await vi.waitUntil(() => wrapper.find("[aria-label='Remove " + name + "']").exists());
    };
    await choose("a.txt", "text/plain");
    expect(wrapper.find(".original").exists()).toBe(false);
    await choose("b.png", "image/png");
    await wrapper.get(".original input").setValue(true);
    await wrapper.get("form").trigger("submit");
    await vi.waitUntil(() => sendFile.mock.calls.length === 2);
    expect(sendFile.mock.lastCall?.[3]).toEqual({ isOriginal: true });
    await choose("c.png", "image/png");
    expect((wrapper.get(".original input").element as HTMLInputElement).checked).toBe(false);
  });

  it("gives the words back when they could not be taken, and what they answer stays", async () => {
    const { wrapper, client, area } = await write("a long letter");
    client.send = () => Promise.reject(new ChatError(ErrorCode.BUSY));
    await wrapper.get("form").trigger("submit");
    await flushPromises();
    expect(area.value).toBe("a long letter");
    expect(wrapper.emitted("sent")).toBeUndefined();
    expect(useToasts().toasts).toHaveLength(1);
  });

  it("has words that are sent together with a file go after it", async () => {
    const { wrapper, client } = await write("look!", FRIEND, true);
    const send = vi.spyOn(client, "send");
    await wrapper.get("textarea").trigger("paste", { clipboardData: { files: [new File(["abc"], "a.txt")] } });
    await wrapper.get("form").trigger("submit");
    await vi.waitFor(() => expect(send).toHaveBeenCalledWith(FRIEND, expect.objectContaining({ text: "look!" })));
    const [message] = await Promise.all(send.mock.results.slice(0, 1).map(({ value }) => value));
    expect(send).toHaveBeenLastCalledWith(FRIEND, expect.objectContaining({ after: [message?.key] }));
  });
});
