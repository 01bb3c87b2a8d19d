// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { mountPage } from "../../../tests/mounting";
import EditLine from "./EditLine.vue";

it("keeps what was typed when Esc is meant for the input method", async () => {
  const { wrapper } = await mountPage(EditLine, { label: "Name", value: "", maxlength: 9, save: () => Promise.resolve() });
  await wrapper.find("button").trigger("click");
  await wrapper.find("input").setValue("小");
  await wrapper.find("input").trigger("keydown", { key: "Escape", isComposing: true });
  expect(wrapper.find("input").element.value).toBe("小");
  await wrapper.find("input").trigger("keydown", { key: "Escape" });
  expect(wrapper.find("input").exists()).toBe(false);
});
