// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it, vi } from "vitest";

import { mountPage, type Mounted } from "../../../tests/mounting";
import EmojiPicker from "./EmojiPicker.vue";

async function open(): Promise<Mounted["wrapper"]> {
  const { wrapper } = await mountPage(EmojiPicker);
  await flushPromises();
  return wrapper;
}

beforeEach(() => localStorage.clear());

it("takes the first that was found on Enter, and remembers it", async () => {
  const wrapper = await open();
  await vi.waitFor(async () => {
    await wrapper.get("input").setValue("pizza");
    expect(wrapper.find(".found .emoji").text()).toBe("🍕");
  });
  await wrapper.get("input").trigger("keydown", { key: "Enter" });
  expect(wrapper.emitted("pick")).toEqual([["🍕"]]);
  expect((await open()).get(".emoji").text()).toBe("🍕");
});

it("walks with arrows from the search into the emoji and back", async () => {
  const wrapper = await open();
  const search = wrapper.get("input");
  await search.trigger("keydown", { key: "ArrowDown" });
  expect(document.activeElement?.textContent.trim()).toBe("😀");
  await wrapper.findAll(".emoji")[0]?.trigger("keydown", { key: "ArrowRight" });
  expect(document.activeElement?.textContent.trim()).toBe("😃");
  await wrapper.findAll(".emoji")[1]?.trigger("keydown", { key: "ArrowUp" });
  expect(document.activeElement).toBe(search.element);
});

it("says so when nothing is called like that", async () => {
  const wrapper = await open();
  await wrapper.get("input").setValue("qqqqq");
  await vi.waitFor(() => expect(wrapper.text()).toContain("No such emoji"));
});
