// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../../core/api";
import { usePlace } from "../../stores/place";
import { mountPage } from "../../../tests/mounting";
import GroupsColumn from "./GroupsColumn.vue";
import InvitationList from "./InvitationList.vue";

const BOOKS = "20004";

it("joins a group that one was invited into, and opens it", async () => {
  const { wrapper, client } = await mountPage(InvitationList);
  expect(wrapper.text()).toContain("读书会");
  await wrapper.findAll("button.first")[0]?.trigger("click");
  await vi.waitFor(() => expect(usePlace().conversationId).toBe(client.conversationOf(BOOKS)));
  expect((await client.groups()).map((one) => one.groupId)).toContain(BOOKS);
});

it("says how to get one when the last was declined", async () => {
  const { wrapper, client } = await mountPage(InvitationList);
  await wrapper.findAll("button.small")[0]?.trigger("click");
  await vi.waitFor(() => expect(wrapper.text()).toContain("No invitations"));
  expect((await client.groups()).map((one) => one.groupId)).not.toContain(BOOKS);
});

it("looks again when the answer was refused, for it was given elsewhere", async () => {
  const { wrapper, client } = await mountPage(InvitationList);
  vi.spyOn(client, "answerJoin").mockRejectedValue(new ChatError(ErrorCode.REQUEST_NOT_FOUND));
  vi.spyOn(client, "invitations").mockResolvedValue([]);
  await wrapper.findAll("button.first")[0]?.trigger("click");
  await vi.waitFor(() => expect(wrapper.text()).toContain("No invitations"));
});

it("leads there from the groups, with the number of those that wait", async () => {
  const { wrapper } = await mountPage(GroupsColumn);
  await flushPromises();
  const row = wrapper.findAll("button.row").find((one) => one.text().includes("Group invitations"));
  expect(row?.text()).toContain("1");
  await row?.trigger("click");
  expect(usePlace().id).toBe("invitations");
});
