// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { mountPage } from "../../../tests/mounting";
import Field from "./Field.vue";

it.each([true, false])("has the focus when one begins there: %s", async (autofocus) => {
  // Browsers do it by themselves for the first field of a page only.
  const { wrapper } = await mountPage(Field, { label: "Name", modelValue: "", autofocus });
  expect(document.activeElement === wrapper.find("input").element).toBe(autofocus);
});
