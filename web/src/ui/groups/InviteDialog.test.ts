// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../../core/api";
import { useToasts } from "../../stores/toasts";
import { GROUP, mountPage } from "../../../tests/mounting";
import InviteDialog from "./InviteDialog.vue";

it("goes on with those who are left when somebody was refused", async () => {
  const { wrapper, client } = await mountPage(InviteDialog, { groupId: GROUP });
  const invite = vi.spyOn(client, "inviteMember");
  invite.mockResolvedValueOnce().mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST));
  const boxes = wrapper.findAll("input[type=checkbox]");
  for (const box of boxes.slice(0, 3)) await box.trigger("change");
  await wrapper.find("button.wide").trigger("click");
  await vi.waitFor(() => expect(wrapper.find(".error").exists()).toBe(true));
  await wrapper.find("button.wide").trigger("click");
  await vi.waitFor(() => expect(wrapper.emitted("close")).toBeDefined());
  const asked = invite.mock.calls.map((one) => String(one.at(1)));
  expect(asked).toHaveLength(4);
  expect(new Set(asked).size).toBe(3);
  expect(useToasts().toasts.at(-1)?.text).toContain("3");
});
