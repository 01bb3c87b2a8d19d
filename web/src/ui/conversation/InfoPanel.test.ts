// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";

import { useConversations } from "../../stores/conversations";
import { FRIEND, GROUP, mountPage } from "../../testing/mounting";
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
