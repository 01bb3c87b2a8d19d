// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { h, ref } from "vue";

import { mountPage } from "../../../tests/mounting";
import FilterField from "./FilterField.vue";

it("takes Esc until it is empty, and leaves it to an input method", async () => {
  const query = ref("小");
  const heard: boolean[] = [];
  const { wrapper } = await mountPage({
    render: () =>
      h("div", { onKeydown: (event: KeyboardEvent) => heard.push(event.defaultPrevented) }, [
        h(FilterField, { label: "Find", modelValue: query.value, "onUpdate:modelValue": (next: string) => (query.value = next) }),
      ]),
  });
  const input = wrapper.find("input");
  await input.trigger("keydown", { key: "Escape", isComposing: true });
  expect([query.value, heard]).toEqual(["小", []]);
  await input.trigger("keydown", { key: "Escape" });
  expect([query.value, heard]).toEqual(["", []]);
  await input.trigger("keydown", { key: "Escape" });
  expect(heard).toEqual([false]);
});
