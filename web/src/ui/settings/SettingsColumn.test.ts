// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";

import { useToasts } from "../../stores/toasts";
import { FRIEND, mountPage } from "../../../tests/mounting";
import SettingsColumn from "./SettingsColumn.vue";

async function askToLogOut(draft: string): Promise<{ text: string; isGrave: boolean }> {
  const { wrapper, client } = await mountPage(SettingsColumn);
  for (const { conversationId } of await client.conversations()) client.setDraft(conversationId, "");
  client.setDraft(FRIEND, draft);
  await flushPromises();
  await wrapper.findAll("button").at(-1)?.trigger("click");
  const { question } = useToasts();
  return { text: question?.text ?? "", isGrave: question?.isGrave ?? false };
}

it("asks calmly before it logs out when nothing would be lost", async () => {
  expect(await askToLogOut("")).toMatchObject({ isGrave: false });
});

it("warns of drafts and unsent messages before it logs out", async () => {
  expect(await askToLogOut("half a thought")).toEqual({ text: expect.stringContaining("in 1 chat will"), isGrave: true });
});
