// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";

import { mountPage } from "../../../tests/mounting";
import AnswerButtons from "./AnswerButtons.vue";

it("hears one answer at a time", async () => {
  const heard: boolean[] = [];
  let done = (): void => undefined;
  const { wrapper } = await mountPage(AnswerButtons, {
    name: "Ada",
    answer: (accept: boolean) => {
      heard.push(accept);
      return new Promise<void>((resolve) => (done = resolve));
    },
  });
  const [decline, accept] = wrapper.findAll("button");
  await accept?.trigger("click");
  await accept?.trigger("click");
  await decline?.trigger("click");
  expect(heard).toEqual([true]);
  done();
  await flushPromises();
  await decline?.trigger("click");
  expect(heard).toEqual([true, false]);
});
