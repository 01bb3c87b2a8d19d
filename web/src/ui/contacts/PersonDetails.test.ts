// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import { usePeople } from "../../stores/people";
import { mountPage } from "../../../tests/mounting";
import PersonDetails from "./PersonDetails.vue";

it("offers nothing to do with somebody who is not there", async () => {
  const { wrapper } = await mountPage(PersonDetails, { userId: "99999" });
  await vi.waitFor(() => expect(wrapper.find(".error").exists()).toBe(true));
  expect(wrapper.findAll(".button")).toHaveLength(0);
});

it("says nothing of when a friend was seen who never was", async () => {
  const { wrapper } = await mountPage(PersonDetails, { userId: "10004" });
  await vi.waitFor(() => expect(wrapper.text()).toContain("Last online"));
  const people = usePeople();
  const friend = people.contacts.get("10004");
  if (friend !== undefined) people.contacts.set("10004", { ...friend, lastSeenAtMs: 0 });
  await wrapper.vm.$nextTick();
  expect(wrapper.text()).not.toContain("Last online");
});
