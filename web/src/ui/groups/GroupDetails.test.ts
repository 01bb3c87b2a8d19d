// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../../core/api";
import { useToasts } from "../../stores/toasts";
import { GROUP, mountPage } from "../../../tests/mounting";
import GroupDetails from "./GroupDetails.vue";

it("shows who may come in as it is when the change was refused", async () => {
  const { wrapper, client } = await mountPage(GroupDetails, { groupId: GROUP });
  vi.spyOn(client, "updateGroup").mockRejectedValue(new ChatError(ErrorCode.NOT_AN_ADMIN));
  const select = wrapper.find("select");
  await select.setValue("closed");
  await vi.waitFor(() => expect(useToasts().toasts).toHaveLength(1));
  expect(select.element.value).toBe("approval");
});

it("shows who may come in when it was changed", async () => {
  const { wrapper } = await mountPage(GroupDetails, { groupId: GROUP });
  const select = wrapper.find("select");
  await select.setValue("closed");
  await vi.waitFor(() => expect(select.element.value).toBe("closed"));
});

it("shows the group as outsiders see it when one is in it no more", async () => {
  const { wrapper, client } = await mountPage(GroupDetails, { groupId: "20002" });
  await vi.waitFor(() => expect(wrapper.find(".grave").exists()).toBe(true));
  await client.leaveGroup("20002");
  await vi.waitFor(() => expect(wrapper.find(".grave").exists()).toBe(false));
  await vi.waitFor(() => expect(wrapper.find("h2").text()).toBe("Protocol readers"));
});
