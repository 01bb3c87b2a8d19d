// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../../core/api";
import { usePlace } from "../../stores/place";
import { mountPage } from "../../../tests/mounting";
import CreateGroup from "./CreateGroup.vue";

it("opens the group that it made though the list of groups cannot be read", async () => {
  const { wrapper, client } = await mountPage(CreateGroup);
  const made = vi.spyOn(client, "createGroup").mockResolvedValue("20009");
  vi.spyOn(client, "groups").mockRejectedValue(new ChatError(ErrorCode.CONNECTION_LOST));
  await wrapper.find("input").setValue("Readers");
  await wrapper.find("form").trigger("submit");
  await vi.waitFor(() => expect(usePlace().conversationId).toBe("20009"));
  expect(made).toHaveBeenCalledOnce();
});
