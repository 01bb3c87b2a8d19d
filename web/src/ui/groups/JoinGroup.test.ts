// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../../core/api";
import { usePlace } from "../../stores/place";
import { useToasts } from "../../stores/toasts";
import { mountPage, type Mounted } from "../../../tests/mounting";
import JoinGroup from "./JoinGroup.vue";

/** Finds a group that one is not in, and asks to come in. */
async function join(isIn: boolean): Promise<Mounted> {
  const mounted = await mountPage(JoinGroup);
  const { wrapper, client } = mounted;
  await client.leaveGroup("20002");
  vi.spyOn(client, "joinGroup").mockResolvedValue(isIn);
  vi.spyOn(client, "groups").mockRejectedValue(new ChatError(ErrorCode.CONNECTION_LOST));
  await wrapper.find("input").setValue("20002");
  await wrapper.find("form").trigger("submit");
  await vi.waitFor(() => expect(wrapper.find("form.ask").exists()).toBe(true));
  await wrapper.find("form.ask").trigger("submit");
  return mounted;
}

it("opens the group that one came into though the list of groups cannot be read", async () => {
  await join(true);
  await vi.waitFor(() => expect(usePlace().conversationId).toBe("20002"));
});

it("asks once: then there is nothing more to send", async () => {
  const { wrapper } = await join(false);
  await vi.waitFor(() => expect(useToasts().toasts).toHaveLength(1));
  expect(wrapper.find("form.ask").exists()).toBe(false);
});
