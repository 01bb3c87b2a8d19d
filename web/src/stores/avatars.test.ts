// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../core/errors";
import Avatar from "../ui/parts/Avatar.vue";
import { mountPage } from "../../tests/mounting";
import { usePeople } from "./people";

it("shows somebody's picture when there is one, fetched once, and theirs alone", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10001", name: "Ada" });
  const fetchFile = vi.spyOn(client, "fetchFile");
  expect(wrapper.find("img").exists()).toBe(false);
  usePeople().remember(await client.setAvatar(new Blob(["x"], { type: "image/png" })));
  await flushPromises();
  await vi.waitFor(() => expect(wrapper.find("img").attributes("src")).toMatch(/^blob:/));
  await wrapper.setProps({ size: 20 });
  expect(fetchFile).toHaveBeenCalledTimes(1);
  await wrapper.setProps({ id: "10002" });
  await flushPromises();
  expect(wrapper.find("img").exists()).toBe(false);
});

it("draws one from the number when the picture cannot be had", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10001", name: "Ada" });
  vi.spyOn(client, "fetchFile").mockRejectedValue(new ChatError(ErrorCode.MEDIA_NOT_FOUND));
  usePeople().remember({ ...(await client.profile("10001")), avatar: "ab" });
  await flushPromises();
  expect(wrapper.find("img").exists()).toBe(false);
  expect(wrapper.text()).toBe("A");
});
