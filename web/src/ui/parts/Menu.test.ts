// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { mountPage } from "../../../tests/mounting";
import Menu from "./Menu.vue";

it("gives the focus back before what was chosen opens something", async () => {
  const opener = document.body.appendChild(document.createElement("button"));
  opener.focus();
  const { wrapper } = await mountPage(Menu, {
    items: [{ key: "remove", label: "Remove", icon: "leave" }],
    at: { x: 0, y: 0 },
    label: "Ada",
    onChoose: () => expect(document.activeElement).toBe(opener),
  });
  const item = document.querySelector<HTMLElement>("[role=menuitem]");
  expect(document.activeElement).toBe(item);
  item?.click();
  expect(wrapper.emitted("choose")).toEqual([["remove"]]);
  opener.remove();
});
