// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h, toHandlers } from "vue";

import { Kind, type Message } from "../../core/api";
import { FRIEND, mountPage, type Mounted } from "../../../tests/mounting";
import { useMessageMenu } from "./useMessageMenu";

const FAILED: Message = {
  is: "message",
  key: "k",
  conversationId: FRIEND,
  seq: 0,
  kind: Kind.TEXT,
  senderId: "10001",
  isOwn: true,
  sentAtMs: 0,
  content: { text: "hello", mentions: [], mentionsAll: false },
  state: "failed",
};

/** One row, and the keys of what its menu offers. */
const Rows = defineComponent({
  props: ["message"],
  setup(props: { message?: Message }) {
    const identity = { conversationId: FRIEND, type: "direct", groupId: "" } as const;
    const { menu, listeners } = useMessageMenu(identity, () => props.message);
    return () =>
      h("div", toHandlers(listeners), [
        h("article", { class: "message" }, [
          h("p", { class: "bubble" }, [h("a"), h("span", { class: "text" }, "hello")]),
          h("button", { "aria-haspopup": "menu" }, [h("i")]),
          h("hr"),
        ]),
        h("samp", menu.value?.selected),
        h("output", menu.value?.items.map((one) => one.key).join(" ") ?? "closed"),
      ]);
  },
});

function mountRows(message: Message | null = FAILED): Promise<Mounted> {
  return mountPage(Rows, message === null ? {} : { message });
}

afterEach(() => vi.useRealTimers());

describe("the menu of a message", () => {
  it.each([
    ["i", "click", {}],
    [".bubble a", "contextmenu", {}],
    [".message", "keydown", { key: "Enter" }],
  ] as const)("opens by %s %s", async (place, event, options) => {
    const { wrapper } = await mountRows();
    await wrapper.get(place).trigger(event, options);
    expect(wrapper.get("output").text()).toBe("retry copy discard");
  });

  it.each([
    ["hr", "click", {}],
    ["hr", "contextmenu", {}],
    ["a", "click", {}],
    [".message", "keydown", { key: "a" }],
    ["button", "keydown", { key: "Enter" }],
  ] as const)("does not open by %s %s %j", async (place, event, options) => {
    const { wrapper } = await mountRows();
    await wrapper.get(place).trigger(event, options);
    expect(wrapper.get("output").text()).toBe("closed");
  });

  it("opens by a long touch, not by a short one", async () => {
    const { wrapper } = await mountRows();
    vi.useFakeTimers();
    const bubble = wrapper.get(".bubble");
    await bubble.trigger("pointerdown", { pointerType: "touch" });
    await bubble.trigger("pointerup");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(wrapper.get("output").text()).toBe("closed");
    await bubble.trigger("pointerdown", { pointerType: "touch" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(wrapper.get("output").text()).toBe("retry copy discard");
  });

  it("remembers what of the text is selected, if nothing else is", async () => {
    const { wrapper } = await mountRows();
    const [text] = wrapper.get(".text").element.childNodes;
    if (text === undefined) throw new Error("no text");
    getSelection()?.setBaseAndExtent(text, 1, text, 3);
    await wrapper.get(".bubble").trigger("contextmenu");
    expect(wrapper.get("samp").text()).toBe("el");
    getSelection()?.setBaseAndExtent(text, 1, wrapper.get("hr").element, 0);
    await wrapper.get(".bubble").trigger("contextmenu");
    expect(wrapper.get("samp").text()).toBe("");
  });

  it("leaves the browser's own menu where there is no message", async () => {
    const { wrapper } = await mountRows(null);
    const event = new MouseEvent("contextmenu", { bubbles: true, cancelable: true });
    wrapper.get(".bubble").element.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });
});
