// @vitest-environment happy-dom
import { mount } from "@vue/test-utils";
import { expect, it } from "vitest";
import { h } from "vue";

import LongList from "./LongList.vue";

const ROW = 50;
const items = Array.from({ length: 1_000 }, (_, index) => `#${index}`);

function mountList(given = items) {
  return mount(LongList<string>, {
    props: { items: given, itemKey: (item: string) => item, rowHeight: ROW, label: "All" },
    slots: { default: ({ item }: { item: string }) => h("span", item) },
  });
}

it("has the rows in view and a few more, and the height of all", () => {
  const list = mountList();
  const rows = list.findAll("li");
  expect(rows[0]?.text()).toBe("#0");
  expect(rows.length).toBeGreaterThan(innerHeight / ROW);
  expect(rows.length).toBeLessThan(innerHeight / ROW + 10);
  expect(list.get("ul").attributes("style")).toContain(`${1_000 * ROW + 8}px`);
});

it("follows when somebody scrolls, and says where a row is among all", async () => {
  const list = mountList();
  const scroller = list.get<HTMLElement>(".long-list");
  scroller.element.scrollTop = 500 * ROW;
  await scroller.trigger("scroll");
  const row = list.findAll("li").find((one) => one.text() === "#500");
  expect(row?.attributes()).toMatchObject({ "aria-posinset": "501", "aria-setsize": "1000" });
  expect(row?.attributes("style")).toContain(`translateY(${500 * ROW}px)`);
  expect(list.text()).not.toContain("#0");
});

it("shows what is left when the list becomes short", async () => {
  const list = mountList();
  await list.setProps({ items: ["#7"] });
  expect(list.findAll("li").map((row) => row.text())).toEqual(["#7"]);
});
