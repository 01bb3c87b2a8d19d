// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";

import { emptyConversation } from "../../core/api";
import { useConversations } from "../../stores/conversations";
import { FRIEND, GROUP, mountPage } from "../../../tests/mounting";
import InfoPanel from "./InfoPanel.vue";

it.each([FRIEND, GROUP])("pins and mutes what stands beside it: %s", async (id) => {
  const { wrapper, client } = await mountPage({
    components: { InfoPanel },
    setup: () => ({ conversations: useConversations(), id }),
    template: '<InfoPanel :conversation="conversations.get(id)" />',
  });
  const switches = wrapper.findAll("[role=switch]");
  const before = (await client.conversations()).find((one) => one.conversationId === id);
  for (const one of switches) await one.trigger("click");
  await flushPromises();
  const after = (await client.conversations()).find((one) => one.conversationId === id);
  expect([after?.isPinned, after?.isMuted]).toEqual([!before?.isPinned, !before?.isMuted]);
  expect(wrapper.findAll("[role=switch]").map((one) => one.attributes("aria-checked"))).toEqual([
    String(after?.isPinned),
    String(after?.isMuted),
  ]);
});

it("asks for the beginning of a day", async () => {
  const { wrapper } = await mountPage(InfoPanel, { conversation: emptyConversation(FRIEND, "10001") });
  await wrapper.get("form.day").trigger("submit");
  await wrapper.get("input[type=date]").setValue("2026-03-01");
  await wrapper.get("form.day").trigger("submit");
  expect(wrapper.emitted("toDay")).toEqual([[new Date(2026, 2, 1).getTime()]]);
});
